import { ApiError, isConflict, isNotFound } from '../control/errors.ts';
import { collectionPath, objectPath } from '../control/resources.ts';
import type { ApiRequest, Transport } from '../control/transport.ts';
import {
  controllerOf,
  controllerRefOf,
  refOf,
  type KubeObject,
  type ObjectRef,
  type Pod,
} from '../plan/kube.ts';
import { hasLabelsOf, isSameOwner, NotControlled } from './ownership.ts';

/** Owns all fields that the operator applies. */
export const MANAGER = 'hashcluster-operator';
/** Owns `replicas` of what is scaled, and nothing else. */
export const SCALER = 'hashcluster-scaler';

/**
 * A resource version that no object has: server-side apply creates an object, and conflicts with one that exists.
 * Source: tried on Kubernetes 1.35.
 */
const CREATE_ONLY = { resourceVersion: '1' };
type Precondition = { readonly resourceVersion: string } | { readonly uid: string };

interface ClaimingSpec {
  readonly replicas?: number;
  readonly volumeClaimTemplates?: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  }[];
}

/** What may stand between a pod and its HashCluster. */
const WORKLOADS = new Set(['apps/v1/Deployment', 'apps/v1/ReplicaSet', 'apps/v1/StatefulSet']);
const MAX_DEPTH = 3;

const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';

export interface WriterOptions {
  readonly transport: Transport;
  /** Throws when this process must not write any more; called before each write. */
  readonly check: () => void;
  readonly signal: AbortSignal;
  /** Told of each write. */
  readonly onWrite: (request: ApiRequest) => void;
}

/** What the operator writes to the API server. Everything may be done twice. */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Makes the object as it is given, whoever owned its fields before: the one with that uid, or (undefined) a new one.
   * Rejects with `NotControlled` when an object of that name exists which the object's controller does not control.
   */
  async apply(object: KubeObject, uid?: string): Promise<void> {
    if (object.kind === 'StatefulSet') await this.#checkClaims(object);
    try {
      await this.#applyTo(object, uid === undefined ? CREATE_ONLY : { uid });
    } catch (error) {
      // The object exists although it was not seen, or is another one by now.
      if (!isConflict(error) && !isOtherUid(error)) throw error;
      const live = await this.read(refOf(object));
      if (live === null) throw error;
      if (!isSameOwner(object, live)) throw new NotControlled(live);
      await this.#applyTo(object, { uid: live.metadata.uid! });
    }
  }

  async #applyTo(object: KubeObject, condition: Precondition): Promise<void> {
    const metadata = { ...object.metadata, ...condition };
    await this.#apply(objectPath(refOf(object)), { manager: MANAGER, body: { ...object, metadata } });
  }

  /** A StatefulSet takes claims of its members' names whoever made them: those of others must not be mounted. */
  async #checkClaims({ metadata: { name: set, namespace = '' }, spec }: KubeObject): Promise<void> {
    const { replicas = 0, volumeClaimTemplates = [] } = spec as ClaimingSpec;
    for (const { metadata } of volumeClaimTemplates) {
      for (let ordinal = 0; ordinal < replicas; ordinal++) {
        const name = `${metadata.name}-${set}-${ordinal}`;
        const claim = {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { ...metadata, name, namespace },
        };
        const live = await this.read(refOf(claim));
        if (live !== null && !hasLabelsOf(claim, live)) throw new NotControlled(live, 'claim');
      }
    }
  }

  async applyStatus(ref: ObjectRef, status: unknown): Promise<void> {
    const { apiVersion, kind, namespace, name, uid } = ref;
    const body = { apiVersion, kind, metadata: { namespace, name, uid }, status };
    await this.#apply(objectPath(ref, 'status'), { manager: MANAGER, body });
  }

  /** Rejects with `NotControlled` when `owner`, a uid, does not control the object; with a uid, that was looked at before. */
  async scale(ref: ObjectRef, replicas: number, owner: string): Promise<void> {
    const { namespace, name, uid = await this.#controlled(ref, owner) } = ref;
    const body = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { namespace, name, uid },
      spec: { replicas },
    };
    await this.#apply(objectPath(ref, 'scale'), { manager: SCALER, body });
  }

  /** Creates the object; one that is there already stays as it is. Rejects with `NotControlled` when that is another's. */
  async create(object: KubeObject): Promise<void> {
    const path = collectionPath(object, object.metadata.namespace);
    const query = { fieldManager: MANAGER };
    try {
      await this.#write({ method: 'POST', path, query, body: object });
    } catch (error) {
      if (!isConflict(error)) throw error;
      const live = await this.read(refOf(object));
      if (live !== null && !isSameOwner(object, live)) throw new NotControlled(live);
    }
  }

  /** Merges a patch into the object with that uid. */
  async merge(
    ref: ObjectRef,
    patch: { readonly metadata?: object; readonly [field: string]: unknown },
  ): Promise<void> {
    const { uid } = ref;
    const metadata = { ...patch.metadata, ...(uid !== undefined && { uid }) };
    await this.#write({
      method: 'PATCH',
      path: objectPath(ref),
      query: { fieldManager: MANAGER },
      contentType: MERGE,
      body: { ...patch, metadata },
      again: 'always',
    });
  }

  /** As `merge`; an object that is gone or has changed meanwhile is left alone: the next plan knows better. */
  async mergeIfThere(ref: ObjectRef, patch: { readonly metadata: object }): Promise<void> {
    await this.merge(ref, patch).catch(unless(isGone));
  }

  /** Deletes the object with that uid, if it is still there. */
  async delete(ref: ObjectRef): Promise<void> {
    const { uid } = ref;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await this.#write({
      method: 'DELETE',
      path: objectPath(ref),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...preconditions },
      again: uid === undefined ? 'refused' : 'always',
    }).catch(unless(isGone));
  }

  /**
   * Evicts the pod with that uid, if it is still there: what the plan saw may be older than what somebody else has done.
   * Rejects with 429 when a PodDisruptionBudget forbids it, with `NotControlled` when it belongs to no workload of `owner`.
   */
  async evict(ref: ObjectRef, owner: string): Promise<void> {
    const pod = (await this.read(ref)) as Pod | null;
    if (!pod || pod.metadata.uid !== ref.uid || pod.metadata.deletionTimestamp !== undefined) return;
    if (!(await this.#belongsTo(pod, owner))) throw new NotControlled(pod);
    const { namespace, name, uid } = ref;
    await this.#write({
      method: 'POST',
      path: objectPath(ref, 'eviction'),
      body: {
        ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } },
        deleteOptions: { preconditions: { uid } },
      },
      again: 'never',
    }).catch(unless(isGone));
  }

  /** The object as it is now; null: there is none. */
  async read(ref: ObjectRef): Promise<KubeObject | null> {
    const { transport, signal } = this.#options;
    try {
      return await transport.request<KubeObject>({ method: 'GET', path: objectPath(ref), signal });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /** The uid of an object that `owner` controls. */
  async #controlled(ref: ObjectRef, owner: string): Promise<string | undefined> {
    const live = await this.read(ref);
    if (live !== null && controllerOf(live) !== owner) throw new NotControlled(live);
    return live?.metadata.uid;
  }

  /** Whether the controllers of a pod lead to `owner`: by its StatefulSet, or by its ReplicaSet and Deployment. */
  async #belongsTo(pod: KubeObject, owner: string): Promise<boolean> {
    let object: KubeObject | null = pod;
    for (let depth = 0; object !== null && depth < MAX_DEPTH; depth++) {
      const parent = controllerRefOf(object);
      if (!parent) return false;
      if (parent.uid === owner) return true;
      const { apiVersion, kind, name, uid } = parent;
      if (!WORKLOADS.has(`${apiVersion}/${kind}`)) return false;
      const { namespace = '' } = pod.metadata;
      const found: KubeObject | null = await this.read({ apiVersion, kind, namespace, name });
      object = found?.metadata.uid === uid ? found : null;
    }
    return false;
  }

  async #apply(
    path: string,
    { manager, body }: { readonly manager: string; readonly body: unknown },
  ): Promise<void> {
    const query = { fieldManager: manager, force: true };
    await this.#write({ method: 'PATCH', path, query, contentType: APPLY, body, again: 'always' });
  }

  async #write(request: ApiRequest): Promise<void> {
    const { transport, check, signal, onWrite } = this.#options;
    check();
    onWrite(request);
    await transport.request({ ...request, signal });
  }
}

/** Another object has the name by now: server-side apply takes the uid for a change of an immutable field. */
function isOtherUid(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.status !== 422) return false;
  const causes = error.details['causes'];
  return (
    Array.isArray(causes) && causes.some((cause) => (cause as { field?: string }).field === 'metadata.uid')
  );
}

/** It is not there any more, or another one has its name. */
function isGone(error: unknown): boolean {
  return isNotFound(error) || isConflict(error);
}

function unless(isFine: (error: unknown) => boolean): (error: unknown) => void {
  return (error) => {
    if (!isFine(error)) throw error;
  };
}
