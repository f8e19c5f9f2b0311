import type { KubeObject } from './kube.ts';

/** Source: Kubernetes API, `meta/v1 ManagedFieldsEntry`. */
interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldsV1;
}

/** Source: Kubernetes API, `meta/v1 FieldsV1`: `f:<name>`, `k:<keys of a list entry>`, `v:<value>`, `.`. */
type FieldsV1 = Readonly<Record<string, unknown>>;

type Fields = Readonly<Record<string, unknown>>;

const OWN: ReadonlySet<string> = new Set(['hashcluster-operator', 'hashcluster-scaler']);

/**
 * Field managers, other than the operator's, that own one of these fields of a live object; sorted. `wanted` is the part of
 * the object that the paths lead through: indexes in paths are those of its lists.
 */
export function otherManagers(live: KubeObject, wanted: unknown, paths: readonly string[]): string[] {
  const entries = (live.metadata as { readonly managedFields?: readonly ManagedFieldsEntry[] }).managedFields;
  const others = (entries ?? []).filter(({ manager, fieldsV1 }) => {
    return manager !== undefined && !OWN.has(manager) && paths.some((path) => owns(fieldsV1, wanted, path));
  });
  return [...new Set(others.map(({ manager }) => manager!))].sort();
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A set of fields that goes no deeper owns all that is below. */
function isLeaf(owned: FieldsV1): boolean {
  return Object.keys(owned).every((key) => key === '.');
}

function owns(owned: unknown, wanted: unknown, path: string): boolean {
  if (!isFields(owned)) return false;
  if (path === '' || isLeaf(owned)) return true;
  const index = /^\[(\d+)\]/.exec(path);
  if (index) {
    const item = Array.isArray(wanted) ? (wanted[Number(index[1])] as unknown) : undefined;
    return ofItem(owned, item).some((next) => owns(next, item, after(path, index[0].length)));
  }
  if (!isFields(wanted)) return false;
  // Names of annotations have dots in them.
  const name = Object.keys(wanted)
    .filter((key) => path.startsWith(key) && /^([.[]|$)/.test(path.slice(key.length)))
    .sort((a, b) => b.length - a.length)[0];
  return name !== undefined && owns(owned[`f:${name}`], wanted[name], after(path, name.length));
}

/** The rest of a path, without its dot. */
function after(path: string, length: number): string {
  return path.slice(length).replace(/^\./, '');
}

/** What is owned of a list's entry, by its keys or its value. */
function ofItem(owned: FieldsV1, item: unknown): unknown[] {
  return Object.entries(owned)
    .filter(([key]) => {
      if (key.startsWith('v:')) return key.slice(2) === JSON.stringify(item);
      if (!key.startsWith('k:') || !isFields(item)) return false;
      const keys = JSON.parse(key.slice(2)) as Fields;
      return Object.entries(keys).every(([name, value]) => item[name] === undefined || item[name] === value);
    })
    .map(([, value]) => value);
}
