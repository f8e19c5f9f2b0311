import type { KubeObject } from '../../plan/kube.ts';

/** A change of one object, as a watch tells it. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly rv: number;
  readonly collection: string;
  readonly object: KubeObject;
}

type Json = Record<string, unknown>;

/** Objects by collection (`/api/v1/pods`), their history, and one resource version for all: what etcd is to an API server. */
export class ObjectStore {
  readonly #collections = new Map<string, Map<string, KubeObject>>();
  readonly #history: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  #oldest = 0;
  #uids = 0;
  rv = 1;

  get(collection: string, key: string): KubeObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  list(collection: string): KubeObject[] {
    return [...(this.#collections.get(collection)?.values() ?? [])];
  }

  /** Stores an object; writes nothing when nothing differs. */
  put(collection: string, object: KubeObject): KubeObject {
    const key = keyOf(object);
    const old = this.get(collection, key);
    if (old && same(old, object)) return old;
    this.rv++;
    const stored: KubeObject = {
      ...object,
      metadata: {
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...object.metadata,
        uid: old?.metadata.uid ?? `uid-${++this.#uids}`,
        generation: (old?.metadata.generation ?? 0) + (old && same(specOf(old), specOf(object)) ? 0 : 1),
        resourceVersion: String(this.rv),
      },
    };
    const objects = this.#collections.get(collection) ?? new Map<string, KubeObject>();
    this.#collections.set(collection, objects.set(key, stored));
    this.#tell({ type: old ? 'MODIFIED' : 'ADDED', rv: this.rv, collection, object: stored });
    return stored;
  }

  remove(collection: string, key: string): KubeObject | undefined {
    const old = this.get(collection, key);
    if (!old) return undefined;
    this.#collections.get(collection)?.delete(key);
    this.rv++;
    const object = { ...old, metadata: { ...old.metadata, resourceVersion: String(this.rv) } };
    this.#tell({ type: 'DELETED', rv: this.rv, collection, object });
    return old;
  }

  /** Null: that history is gone. */
  since(rv: number, collection: string): Change[] | null {
    if (rv < this.#oldest) return null;
    return this.#history.filter((change) => change.rv > rv && change.collection === collection);
  }

  /** Forgets the history, as etcd does from time to time. */
  compact(): void {
    this.#history.length = 0;
    this.#oldest = this.rv;
  }

  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const listener of this.#listeners) listener(change);
  }
}

export function keyOf({ metadata }: { readonly metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function specOf(object: KubeObject): unknown {
  return object['spec'];
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(bare(a)) === JSON.stringify(bare(b));
}

/** Without what the server writes by itself, and in one order. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const own = new Set(['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields']);
  const entries = Object.entries(value).filter(([name]) => !own.has(name));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, v]) => [name, bare(v)]));
}

/** RFC 7396. Close enough to server-side apply for one field manager. */
export function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const old = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const merged: Json = { ...(old as Json) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, name);
    else merged[name] = merge(merged[name], value);
  }
  return merged;
}
