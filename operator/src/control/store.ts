import type { KubeObject } from '../plan/kube.ts';

/** What became of one object. `old` is what the store had before. */
export type StoreChange<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly old: T }
  | { readonly type: 'deleted'; readonly object: T };

/** The values under which an object is found, such as its owner's uid. */
export type Index<T> = (object: T) => readonly string[];

/** `namespace/name`. */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Objects of one kind as they were last seen. They are shared: whoever reads them must not change them. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Index<T>>;
  /** `index\0value` → keys. */
  readonly #found = new Map<string, Set<string>>();

  constructor(indexes: Readonly<Record<string, Index<T>>> = {}) {
    this.#indexes = new Map(Object.entries(indexes));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  /** Throws when there is no such index. */
  find(index: string, value: string): T[] {
    if (!this.#indexes.has(index)) throw new Error(`The store has no index "${index}"`);
    const keys = this.#found.get(`${index}\0${value}`) ?? [];
    return [...keys].map((key) => this.#objects.get(key)!);
  }

  /** Takes an object in; says what changed, in order. An object of the same name but another uid replaces it. */
  put(object: T): StoreChange<T>[] {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (!old) {
      this.#set(key, object);
      return [{ type: 'added', object }];
    }
    const { uid, resourceVersion } = old.metadata;
    if (uid !== object.metadata.uid) return [...this.remove(key), ...this.put(object)];
    if (resourceVersion === object.metadata.resourceVersion) return [];
    this.#unset(key, old);
    this.#set(key, object);
    return [{ type: 'updated', object, old }];
  }

  /** Takes an object out, with its last state where that is known. */
  remove(key: string, last?: T): StoreChange<T>[] {
    const old = this.#objects.get(key);
    if (!old) return [];
    this.#unset(key, old);
    return [{ type: 'deleted', object: last ?? old }];
  }

  /** Makes the store equal to a list. */
  replace(objects: readonly T[]): StoreChange<T>[] {
    const listed = new Set(objects.map(keyOf));
    const gone = [...this.#objects.keys()].filter((key) => !listed.has(key));
    return [...gone.flatMap((key) => this.remove(key)), ...objects.flatMap((object) => this.put(object))];
  }

  #set(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const place of this.#places(object)) {
      const keys = this.#found.get(place);
      if (keys) keys.add(key);
      else this.#found.set(place, new Set([key]));
    }
  }

  #unset(key: string, object: T): void {
    this.#objects.delete(key);
    for (const place of this.#places(object)) {
      const keys = this.#found.get(place);
      keys?.delete(key);
      if (keys?.size === 0) this.#found.delete(place);
    }
  }

  #places(object: T): string[] {
    return [...this.#indexes].flatMap(([name, index]) => index(object).map((value) => `${name}\0${value}`));
  }
}
