import { canonical } from './fingerprint.ts';
import { parseQuantity } from './quantity.ts';

/** Lists that are merged entry by entry, and by what an entry is known. Source: Kubernetes API, `x-kubernetes-list-map-keys`. */
const MAP_LISTS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  ownerReferences: ['uid'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/**
 * Maps that are one value: one more entry, and they select something else, or nothing. Source: Kubernetes API,
 * `x-kubernetes-map-type: atomic`.
 */
const ATOMIC = ['selector', 'podSelector', 'namespaceSelector', 'labelSelector', 'nodeSelector'];

/** Maps of quantities: the API server writes them in its own way. */
const QUANTITIES = new Set(['requests', 'limits']);

/** Looked up once: it is called for every field of every object, in every round. */
const { isArray } = Array;

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !isArray(value);
}

/** Empty maps, lists and texts are not stored everywhere, and mean nothing. */
function isEmpty(value: unknown): boolean {
  if (value === '') return true;
  return (isArray(value) && value.length === 0) || (isFields(value) && Object.keys(value).length === 0);
}

/**
 * Where a live object is not as desired: paths such as `spec.template.spec.containers[0].image`, in the order of the
 * desired object. Every field that is desired must be live; what else is live is others' or the API server's. Quantities
 * are compared as amounts. Lists that are merged may have more entries, all other lists have the same length.
 */
export function differences(desired: unknown, live: unknown, path = ''): string[] {
  if (isEmpty(desired) && (live === undefined || live === null || isEmpty(live))) return [];
  if (isArray(desired)) return listDifferences(desired, live, path);
  if (isFields(desired)) {
    if (!isFields(live)) return [path];
    return Object.entries(desired).flatMap(([key, value]) =>
      value === undefined ? [] : fieldDifferences(key, { desired: value, live: live[key] }, path),
    );
  }
  return desired === live ? [] : [path];
}

type Comparison = (desired: unknown, live: unknown) => boolean;

/** Fields that are compared as one value. */
const COMPARED: Readonly<Record<string, Comparison>> = {
  sizeLimit: isSameAmount,
  ...Object.fromEntries(ATOMIC.map((key) => [key, isSameMap])),
};

function isSameMap(desired: unknown, live: unknown): boolean {
  return canonical(desired) === canonical(live) || (isEmpty(desired) && isEmpty(live ?? []));
}

interface Sides {
  readonly desired: unknown;
  readonly live: unknown;
}

function fieldDifferences(key: string, { desired, live }: Sides, path: string): string[] {
  const at = path === '' ? key : `${path}.${key}`;
  if (QUANTITIES.has(key) && isFields(desired) && isFields(live)) {
    return Object.keys(desired)
      .filter((name) => !isSameAmount(desired[name], live[name]))
      .map((name) => `${at}.${name}`);
  }
  const isSame = COMPARED[key];
  if (isSame) return isSame(desired, live) ? [] : [at];
  const keys = MAP_LISTS[key];
  if (keys && isArray(desired)) return mapListDifferences({ desired, live }, at, keys);
  return differences(desired, live, at);
}

function isSameAmount(desired: unknown, live: unknown): boolean {
  const [a, b] = [desired, live].map((value) =>
    typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : null,
  );
  return a !== null && a === b;
}

function listDifferences(desired: readonly unknown[], live: unknown, path: string): string[] {
  if (!isArray(live) || live.length !== desired.length) return [path];
  return desired.flatMap((item, i) => differences(item, live[i], `${path}[${i}]`));
}

function mapListDifferences({ desired, live }: Sides, path: string, keys: readonly string[]): string[] {
  const entries = isArray(live) ? (live as readonly unknown[]) : [];
  return (desired as readonly unknown[]).flatMap((item, i) => {
    const same = entries.find(
      (entry) => isFields(entry) && isFields(item) && keys.every((key) => entry[key] === item[key]),
    );
    return same === undefined ? [`${path}[${i}]`] : differences(item, same, `${path}[${i}]`);
  });
}
