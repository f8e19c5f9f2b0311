import { FINALIZER, type HashCluster } from '../api/hash-cluster.ts';
import { ApiError, isTooMany } from '../control/errors.ts';
import type { EventRecorder } from '../control/events.ts';
import { actionRef, type Action, type ActionKind } from '../plan/action.ts';
import type { ObjectRef } from '../plan/kube.ts';
import type { LedgerEntry, Refusal } from '../plan/observed.ts';
import { RESIZE_REQUESTED } from '../plan/volumes.ts';
import type { Logger } from '../runtime/log.ts';
import type { KafkaServers } from '../servers/kafka.ts';
import type { MongoServers } from '../servers/mongodb.ts';
import { generateData } from './generate.ts';
import { NotControlled } from './ownership.ts';
import { copiedData, patchSecret, type ReadSecret } from './secret-copies.ts';
import { kafkaEffects, mongoEffects, type Effects, type ServerKind } from './server-effects.ts';
import type { Writer } from './writer.ts';

export interface ApplierOptions {
  readonly writer: Writer;
  readonly events: EventRecorder;
  readonly mongo: MongoServers;
  readonly kafka: KafkaServers;
  readonly readSecret: ReadSecret;
  readonly logger: Logger;
}

/** What has become of a plan. */
export interface Outcome {
  readonly done: readonly Action[];
  /** Those actions were left out; the others have been carried out all the same. */
  readonly refusals: readonly Refusal[];
  readonly remembered: readonly LedgerEntry[];
  /** What went wrong, and with which action; the actions behind it were not carried out. */
  readonly failure: { readonly action: ActionKind; readonly ref: string; readonly error: unknown } | null;
}

/** Statuses by which the server says that it will never take the object as it is. */
const NEVER = new Set([400, 403, 422]);

/** Carries out plans: one action after the other, until one fails. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #effects: Effects;

  constructor(options: ApplierOptions) {
    this.#options = options;
    const servers = { ...mongoEffects(options), ...kafkaEffects(options) };
    this.#effects = { ...apiEffects(options), ...servers, remember: () => undefined };
  }

  /**
   * An object that the server refuses for good, and an eviction that a PodDisruptionBudget forbids, are passed over, with
   * the events and notes behind them which tell of them: one wrong field must not stop everything else.
   */
  async carryOut(cluster: HashCluster, actions: readonly Action[]): Promise<Outcome> {
    const refusals: Refusal[] = [];
    const remembered: LedgerEntry[] = [];
    const done: Action[] = [];
    let passing = false;
    for (const action of actions) {
      passing &&= action.kind === 'event' || action.kind === 'remember';
      if (passing) continue;
      try {
        await this.#carryOut(action, cluster);
        if (action.kind === 'remember') remembered.push(action.entry);
        done.push(action);
      } catch (error) {
        const refusal = refusalOf(action, error);
        if (!refusal) {
          const failure = { action: action.kind, ref: actionRef(action), error };
          return { done, refusals, remembered, failure };
        }
        refusals.push(refusal);
        passing = true;
      }
    }
    return { done, refusals, remembered, failure: null };
  }

  async #carryOut(action: Action, cluster: HashCluster): Promise<void> {
    // The table has the right effect for each kind; TypeScript cannot see that for a union.
    const effect = this.#effects[action.kind] as (
      action: Action,
      cluster: HashCluster,
    ) => Promise<void> | void;
    await effect(action, cluster);
    if (action.kind === 'status' || action.kind === 'remember' || action.kind === 'event') return;
    const { namespace, name } = cluster.metadata;
    this.#options.logger.info('Carried out', {
      ...{ cluster: `${namespace}/${name}`, action: action.kind, object: actionRef(action), why: action.why },
    });
  }
}

function refusalOf(action: Action, error: unknown): Refusal | null {
  if (error instanceof NotControlled) {
    return { ref: actionRef(action), reason: 'AlreadyExists', message: error.message };
  }
  if (!(error instanceof ApiError)) return null;
  const never = (action.kind === 'apply' || action.kind === 'createSecret') && NEVER.has(error.status);
  const held = action.kind === 'evict' && isTooMany(error);
  return never || held ? { ref: actionRef(action), message: error.message } : null;
}

function clusterRef({ apiVersion, kind, metadata: { namespace, name, uid } }: HashCluster): ObjectRef {
  return { apiVersion, kind, namespace, name, uid };
}

function apiEffects({ writer, events, readSecret }: ApplierOptions): Omit<Effects, ServerKind | 'remember'> {
  return {
    apply: ({ object, uid }) => writer.apply(object, uid),
    delete: ({ ref }) => writer.delete(ref),
    scale: ({ ref, replicas }, cluster) => writer.scale(ref, replicas, cluster.metadata.uid),
    annotate: ({ ref, annotations }) => writer.mergeIfThere(ref, { metadata: { annotations } }),
    evict: ({ ref }, cluster) => writer.evict(ref, cluster.metadata.uid),
    createSecret: ({ object, keys }) => writer.create({ ...object, data: generateData(keys) }),
    copySecret: async ({ object, from, keys }) => {
      const { namespace = '' } = object.metadata;
      await writer.create({ ...object, data: await copiedData(readSecret, { namespace, from, keys }) });
    },
    patchSecret: (patch) => patchSecret(writer, readSecret, patch),
    expandVolume: ({ ref, storage, at }) =>
      writer.merge(ref, {
        ...(at !== undefined && { metadata: { annotations: { [RESIZE_REQUESTED]: at } } }),
        spec: { resources: { requests: { storage } } },
      }),
    event: ({ type, reason, message }, cluster) =>
      events.record({ regarding: clusterRef(cluster), type, reason, action: 'Reconcile', note: message }),
    finalizer: ({ change }, cluster) => {
      const others = (cluster.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
      const finalizers = change === 'add' ? [...others, FINALIZER] : others;
      const { resourceVersion } = cluster.metadata;
      // The list is replaced as a whole: nobody else's entry may get lost.
      const patch = { metadata: { finalizers, ...(resourceVersion !== undefined && { resourceVersion }) } };
      return change === 'add'
        ? writer.merge(clusterRef(cluster), patch)
        : writer.mergeIfThere(clusterRef(cluster), patch);
    },
    status: ({ status }, cluster) => writer.applyStatus(clusterRef(cluster), status),
  };
}
