import { isConflict, isNotFound } from '../control/errors.ts';
import { collectionPath, objectPath } from '../control/resources.ts';
import type { ApiRequest, Transport } from '../control/transport.ts';
import type { KubeObject, ObjectRef, Pod } from '../plan/kube.ts';

/** Owns all fields that the operator applies. */
export const MANAGER = 'hashcluster-operator';
/** Owns `replicas` of what is scaled, and nothing else. */
export const SCALER = 'hashcluster-scaler';

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

  /** Makes the object as it is given, whoever owned its fields before. */
  async apply(object: KubeObject): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const { namespace, name } = metadata;
    await this.#apply(objectPath({ apiVersion, kind, namespace, name }), { manager: MANAGER, body: object });
  }

  async applyStatus(ref: ObjectRef, status: unknown): Promise<void> {
    const { apiVersion, kind, namespace, name, uid } = ref;
    const body = { apiVersion, kind, metadata: { namespace, name, uid }, status };
    await this.#apply(objectPath(ref, 'status'), { manager: MANAGER, body });
  }

  async scale(ref: ObjectRef, replicas: number): Promise<void> {
    const { namespace, name } = ref;
    const body = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { namespace, name },
      spec: { replicas },
    };
    await this.#apply(objectPath(ref, 'scale'), { manager: SCALER, body });
  }

  /** Creates the object; one that is there already stays as it is. */
  async create(object: KubeObject): Promise<void> {
    const path = collectionPath(object, object.metadata.namespace);
    const query = { fieldManager: MANAGER };
    await this.#write({ method: 'POST', path, query, body: object }).catch(unless(isConflict));
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
   * Rejects with 429 when a PodDisruptionBudget forbids it.
   */
  async evict(ref: ObjectRef): Promise<void> {
    const pod = (await this.read(ref)) as Pod | null;
    if (!pod || pod.metadata.uid !== ref.uid || pod.metadata.deletionTimestamp !== undefined) return;
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

/** It is not there any more, or another one has its name. */
function isGone(error: unknown): boolean {
  return isNotFound(error) || isConflict(error);
}

function unless(isFine: (error: unknown) => boolean): (error: unknown) => void {
  return (error) => {
    if (!isFine(error)) throw error;
  };
}
