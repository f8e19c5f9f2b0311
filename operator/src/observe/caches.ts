import { API_VERSION, type HashCluster, KIND } from '../api/hash-cluster.ts';
import { type Phase, Reflector, type ReflectorOptions } from '../control/reflector.ts';
import type { Kind } from '../control/resources.ts';
import { type Index, Store, type StoreChange } from '../control/store.ts';
import type { Transport } from '../control/transport.ts';
import type { KubeObject, Pod } from '../plan/kube.ts';
import { keepObject, keepPod } from './keep.ts';

export interface CachesOptions {
  readonly transport: Transport;
  /** Null: all. */
  readonly namespaces: readonly string[] | null;
  /** A HashCluster or something of it has changed. Key: `namespace/name`; `own`: its spec or metadata, not a child. */
  readonly onChange: (key: string, own: boolean) => void;
  readonly onTrouble: (cache: string, phase: Phase, error: unknown) => void;
  readonly onMissed: (cache: string, changes: number) => void;
  /** Bounds of the reflectors, for tests. */
  readonly reflector?: Partial<
    Pick<ReflectorOptions<KubeObject>, 'auditMs' | 'auditGraceMs' | 'backoff' | 'idleMs'>
  >;
}

/** What all our children carry. */
export const OURS = 'app.kubernetes.io/name=hashcluster,app.kubernetes.io/managed-by=hashcluster-operator';
const INSTANCE = 'app.kubernetes.io/instance';

const CLUSTER: Kind = { apiVersion: API_VERSION, kind: KIND };
const POD: Kind = { apiVersion: 'v1', kind: 'Pod' };

/** Every kind that plans make, but Secrets: those are read by name, so that nobody may list them. */
export const CHILD_KINDS: readonly Kind[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
];

/** A kind of children that not every API server knows. */
export const HTTP_ROUTE: Kind = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };

/** Finds children by the HashCluster that their label names. */
const byInstance: Index<KubeObject> = ({ metadata }) => [metadata.labels?.[INSTANCE] ?? ''];

interface Cache {
  readonly name: string;
  readonly store: Store<KubeObject>;
  readonly reflector: Reflector<KubeObject>;
  readonly isOptional: boolean;
}

/** The caches of one namespace, or of all. */
interface Scope {
  readonly clusters: Cache;
  readonly pods: Cache;
  readonly children: Cache[];
}

/** How well a cache knows what there is. */
export interface CacheFacts {
  readonly name: string;
  readonly objects: number;
  readonly silentMs: number;
  readonly hasSynced: boolean;
  /** Of a kind that not every API server knows, or lets us see. */
  readonly isOptional: boolean;
}

/** What the API server has of HashClusters and their children, as it was last told. */
export class Caches {
  readonly #options: CachesOptions;
  /** By namespace; the empty one is all. */
  readonly #scopes: ReadonlyMap<string, Scope>;
  #started = false;

  constructor(options: CachesOptions) {
    this.#options = options;
    const names = options.namespaces ?? [''];
    this.#scopes = new Map(names.map((namespace) => [namespace, this.#scopeOf(namespace || undefined)]));
  }

  /** The namespaces that are looked at; undefined stands for all. */
  get namespaces(): readonly (string | undefined)[] {
    return [...this.#scopes.keys()].map((name) => name || undefined);
  }

  get facts(): CacheFacts[] {
    return this.#all().map(({ name, store, isOptional, reflector: { silentMs, hasSynced } }) => {
      return { name, objects: store.size, silentMs, hasSynced, isOptional };
    });
  }

  /** Idempotent. */
  start(): void {
    this.#started = true;
    for (const { reflector } of this.#all()) reflector.start();
  }

  /** Resolves once everything has been listed that every API server has. */
  async synced(): Promise<void> {
    const needed = this.#all().filter(({ isOptional }) => !isOptional);
    await Promise.all(needed.map(({ reflector }) => reflector.synced));
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#started = false;
    await Promise.all(this.#all().map(({ reflector }) => reflector.stop()));
  }

  /** Looks after one more kind of children from now on. True once it has been listed. */
  alsoWatch(kind: Kind): boolean {
    return [...this.#scopes].every(([namespace, { children }]) => {
      const name = cacheName(kind, namespace || undefined);
      const known = children.find((cache) => cache.name === name);
      if (known) return known.reflector.hasSynced;
      const cache = this.#childCache(kind, namespace || undefined);
      children.push(cache);
      if (this.#started) cache.reflector.start();
      return false;
    });
  }

  clusters(): HashCluster[] {
    return [...this.#scopes.values()].flatMap(({ clusters }) =>
      clusters.store.all(),
    ) as unknown as HashCluster[];
  }

  cluster(namespace: string, name: string): HashCluster | null {
    const found: unknown = this.#scope(namespace)?.clusters.store.get(namespace, name);
    return (found as HashCluster | undefined) ?? null;
  }

  children({ metadata: { namespace, name } }: HashCluster): KubeObject[] {
    const caches = this.#scope(namespace)?.children ?? [];
    return caches.flatMap(({ store }) => within(store.find('instance', name), namespace));
  }

  pods({ metadata: { namespace, name } }: HashCluster): Pod[] {
    const found = this.#scope(namespace)?.pods.store.find('instance', name) ?? [];
    return within(found, namespace) as Pod[];
  }

  /** Milliseconds since the server last said anything of pods there. */
  podsSilentMs(namespace: string): number {
    return this.#scope(namespace)?.pods.reflector.silentMs ?? Infinity;
  }

  #scope(namespace: string): Scope | undefined {
    return this.#scopes.get(namespace) ?? this.#scopes.get('');
  }

  #all(): Cache[] {
    return [...this.#scopes.values()].flatMap(({ clusters, pods, children }) => [
      clusters,
      pods,
      ...children,
    ]);
  }

  #scopeOf(namespace: string | undefined): Scope {
    return {
      clusters: this.#cacheOf(CLUSTER, namespace, {
        keep: keepObject,
        onChange: (change) => this.#clusterChanged(change),
      }),
      pods: this.#cacheOf(POD, namespace, { keep: keepPod, labelSelector: OURS }),
      children: CHILD_KINDS.map((kind) => this.#childCache(kind, namespace)),
    };
  }

  #childCache(kind: Kind, namespace: string | undefined): Cache {
    return this.#cacheOf(kind, namespace, { keep: keepObject, labelSelector: OURS });
  }

  #cacheOf(
    kind: Kind,
    namespace: string | undefined,
    own: Pick<ReflectorOptions<KubeObject>, 'keep' | 'labelSelector'> &
      Partial<Pick<ReflectorOptions<KubeObject>, 'onChange'>>,
  ): Cache {
    const { transport, onTrouble, onMissed, reflector: bounds } = this.#options;
    const store = new Store<KubeObject>({ instance: byInstance });
    const name = cacheName(kind, namespace);
    const reflector = new Reflector<KubeObject>({
      ...{ kind, namespace, transport, store },
      onChange: ({ object }) => this.#childChanged(object),
      onTrouble: (phase, error) => onTrouble(name, phase, error),
      onMissed: (changes) => onMissed(name, changes),
      ...own,
      ...bounds,
    });
    return { name, store, reflector, isOptional: kind === HTTP_ROUTE };
  }

  #childChanged({ metadata: { namespace = '', labels } }: KubeObject): void {
    const instance = labels?.[INSTANCE];
    if (instance !== undefined) this.#options.onChange(`${namespace}/${instance}`, false);
  }

  #clusterChanged(change: StoreChange<KubeObject>): void {
    const { metadata } = change.object;
    // The status is our own word.
    if (change.type === 'updated' && wishOf(change.old) === wishOf(change.object)) return;
    this.#options.onChange(`${metadata.namespace ?? ''}/${metadata.name}`, true);
  }
}

function cacheName({ kind }: Kind, namespace: string | undefined): string {
  return namespace === undefined ? kind : `${kind} ${namespace}`;
}

function within(objects: readonly KubeObject[], namespace: string): KubeObject[] {
  return objects.filter(({ metadata }) => metadata.namespace === namespace);
}

/** What people ask for, as text: the generation stands for the spec. */
function wishOf({ metadata }: KubeObject): string {
  const { generation, deletionTimestamp, finalizers, annotations, labels } = metadata;
  return JSON.stringify([generation, deletionTimestamp, finalizers, annotations, labels]);
}
