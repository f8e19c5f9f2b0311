import type { ActionOf } from './action.ts';
import { differences } from './diff.ts';
import { fingerprint } from './fingerprint.ts';
import type { KubeObject } from './kube.ts';

/** Says on a child what was applied last, so that a field which is no longer wanted is noticed too. */
export const APPLIED = 'hashcluster.io/applied';

/** Says on a workload which template was applied last: a new one replaces pods. */
export const TEMPLATE = 'hashcluster.io/template';

/** The most paths that are named. */
const NAMED = 3;
/** They differ whenever anything else does. */
const MARKS: ReadonlySet<string> = new Set([APPLIED, TEMPLATE].map((name) => `metadata.annotations.${name}`));

/** An object as it is applied. */
export function marked(object: KubeObject): KubeObject {
  const template = templateOf(object);
  const annotations = {
    ...object.metadata.annotations,
    [APPLIED]: fingerprint(JSON.stringify(object)),
    ...(template !== undefined && { [TEMPLATE]: fingerprint(JSON.stringify(template)) }),
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Applies an object where it is not live as it should be; null where it is. */
export function applying(object: KubeObject, live: KubeObject | null): ActionOf<'apply'> | null {
  const wanted = marked(object);
  if (live === null) return { kind: 'apply', object: wanted, why: 'it is not there' };
  const paths = differences(wanted, live);
  if (paths.length === 0) return null;
  const others = paths.filter((path) => !MARKS.has(path));
  // Where only our marks differ, a field was applied that is no longer in the desired object.
  const fields = others.length === 0 ? 'a field that was applied before is removed' : namedPaths(others);
  const { uid } = live.metadata;
  return {
    kind: 'apply',
    object: wanted,
    ...(uid !== undefined && { uid }),
    fields,
    why: `it differs: ${fields}`,
  };
}

/** Fields that a live object does not have as wanted; of our marks only where nothing else differs. */
export function changedPaths(wanted: Readonly<Record<string, unknown>>, live: KubeObject): string[] {
  const paths = differences(wanted, live);
  const others = paths.filter((path) => !MARKS.has(path));
  return others.length > 0 ? others : paths;
}

/** Paths for people: the first of them, those of the spec before others. */
export function namedPaths(paths: readonly string[]): string {
  const sorted = paths.toSorted(specFirst);
  const more = sorted.length > NAMED ? ` and ${sorted.length - NAMED} more` : '';
  return `${sorted.slice(0, NAMED).join(', ')}${more}`;
}

function specFirst(a: string, b: string): number {
  return Number(b.startsWith('spec')) - Number(a.startsWith('spec'));
}

/** What an apply does, for people: "Updating Deployment shop-worker (spec.replicas)". */
export function applySays({ object: { kind, metadata }, fields }: ActionOf<'apply'>): string {
  return fields === undefined
    ? `Creating ${kind} ${metadata.name}`
    : `Updating ${kind} ${metadata.name} (${fields})`;
}

/** The template of the pods that a workload makes. */
function templateOf(object: KubeObject): unknown {
  return (object['spec'] as { readonly template?: unknown } | undefined)?.template;
}

/** Whether applying a workload would replace pods that there are. */
export function wouldRestart(desired: KubeObject, live: KubeObject): boolean {
  const template = templateOf(desired);
  const known = live.metadata.annotations?.[TEMPLATE] === fingerprint(JSON.stringify(template));
  return !known || differences(template, templateOf(live)).length > 0;
}
