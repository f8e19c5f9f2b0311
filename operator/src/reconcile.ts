import { defaulted } from './api/defaulted.ts';
import type { HashCluster } from './api/hash-cluster.ts';
import type { ClusterStatus } from './api/status.ts';
import type { Applier, Outcome } from './apply/applier.ts';
import { FailingActions, OBSERVE } from './failing.ts';
import type { ApiWatch } from './observe/api-facts.ts';
import type { Caches } from './observe/caches.ts';
import { Ledger } from './observe/ledger.ts';
import type { ReadingsBook } from './observe/readings.ts';
import { secretNames, type Secrets } from './observe/secrets.ts';
import type { Action, ActionKind, Plan } from './plan/action.ts';
import { FAILING_MS, type Observed, type OperatorDefaults, type Refusal } from './plan/observed.ts';
import { controllerOf } from './plan/kube.ts';
import { replicaSetEvents } from './plan/mongo-memory.ts';
import { plan } from './plan/plan.ts';
import { statusEvents } from './plan/status/events.ts';
import { unobservedStatus } from './plan/status/unobserved.ts';
import type { KubeObject, ObjectRef } from './plan/kube.ts';
import { OverwrittenBook } from './overwritten.ts';
import type { Clock } from './runtime/clock.ts';

export interface ReconcilerOptions {
  readonly caches: Pick<Caches, 'cluster' | 'pods' | 'children' | 'podsSilentMs'>;
  readonly secrets: Pick<Secrets, 'facts' | 'forget'>;
  readonly readings: Pick<ReadingsBook, 'of' | 'expireMongo' | 'forget'>;
  readonly api: () => Pick<ApiWatch, 'facts' | 'storageClasses'>;
  readonly applier: Pick<Applier, 'carryOut'>;
  readonly defaults: OperatorDefaults;
  /** The live object; null: there is none. */
  readonly readLive: (ref: ObjectRef) => Promise<KubeObject | null>;
  readonly onAction: (action: Action) => void;
  /** Something was refused: for the first time, or for another reason than before. */
  readonly onRefusal: (key: string, refusal: Refusal) => void;
  readonly clock: Clock;
}

/** What was refused is tried again after so many milliseconds: quotas and webhooks change without a word to us. */
const REFUSED_MS = 30_000;

/** What is decided on what MongoDB says of itself. */
const ON_MONGO: ReadonlySet<ActionKind> = new Set([
  ...(['initiateMongo', 'reconfigureMongo', 'ensureMongoUsers', 'stepDownMongo', 'fenceMongo'] as const),
  ...(['rotateMongoUsers', 'dropMongoUsers'] as const),
]);

const CLAIM = 'PersistentVolumeClaim';

/** After these, Secrets may not be what they were, or of no interest any more. */
const FORGETS: ReadonlySet<ActionKind> = new Set([
  ...(['createSecret', 'copySecret', 'patchSecret', 'rotateMongoUsers', 'rotateKafkaUsers'] as const),
  ...(['dropKafkaUsers', 'delete', 'finalizer'] as const),
]);

/** One round, and what became of it. */
interface Round {
  readonly observed: Observed;
  readonly planned: readonly Action[];
  readonly outcome: Outcome;
}

/** Observe, plan, apply, for one HashCluster at a time. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #ledger = new Ledger();
  readonly #failing = new FailingActions();
  readonly #overwritten: OverwrittenBook;
  /** When MongoDB was changed last, in milliseconds since 1970. */
  readonly #mongoChanged = new Map<string, number>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#overwritten = new OverwrittenBook(options.readLive);
  }

  /**
   * One round. Resolves with the milliseconds until the next; null: when something changes, or never, when it is gone.
   * Rejects with what stopped it; the status says so, too.
   */
  async reconcile(key: string): Promise<number | null> {
    const [namespace = '', name = ''] = key.split('/');
    const found = this.#options.caches.cluster(namespace, name);
    if (!found) {
      this.#forget(key);
      return null;
    }
    const cluster = defaulted(found);
    const observed = await this.#observe(key, cluster)
      .then((seen) => this.#examined(key, seen))
      .catch((error: unknown) => this.#noteUnobserved(key, cluster, error));
    const made = plan(observed);
    const outcome = await this.#carryOut(key, cluster, this.#notYetDone(key, observed, made.actions));
    const wanted = [...made.actions, ...made.held];
    const { generation } = cluster.metadata;
    this.#overwritten.note(key, { generation, wanted, done: outcome.done }, this.#options.clock.now());
    await this.#noteFailures(key, { observed, planned: made.actions, outcome });
    if (outcome.failure) throw failed(outcome.failure);
    return againAfter(made, outcome);
  }

  /** Milliseconds until the status has to say that what fails has failed for long; null: it says so, or nothing fails. */
  failingDueMs(key: string): number | null {
    return this.#failing.dueMs(key, this.#options.clock.now());
  }

  async #observe(key: string, cluster: HashCluster): Promise<Observed> {
    const { caches, secrets, readings, defaults, clock } = this.#options;
    const { facts, storageClasses } = this.#options.api();
    const now = clock.now();
    const pods = caches.pods(cluster);
    // Labels can be anybody's. Claims have no controller, or their StatefulSet.
    const children = caches
      .children(cluster)
      .filter((child) => child.kind === CLAIM || controllerOf(child) === cluster.metadata.uid);
    return {
      ...{ now, cluster, pods, defaults },
      viewAt: now - caches.podsSilentMs(cluster.metadata.namespace),
      children,
      secrets: await secrets.facts(cluster),
      readings: readings.of(cluster, { pods, children }, facts.podMetrics),
      ledger: this.#ledger.of(key),
      ...{ api: facts, storageClasses },
      refusals: this.#failing.told(key, now),
      overwritten: this.#overwritten.of(key),
    };
  }

  /** What is written again and again is looked at before it is written once more. */
  async #examined(key: string, observed: Observed): Promise<Observed> {
    if (!this.#overwritten.any(key)) return observed;
    await this.#overwritten.examine(key, plan(observed).actions, observed.now);
    return { ...observed, overwritten: this.#overwritten.of(key) };
  }

  /** Without what was decided on what MongoDB said before it was changed last. */
  #notYetDone(key: string, { readings: { mongo } }: Observed, actions: readonly Action[]): readonly Action[] {
    const changedAt = this.#mongoChanged.get(key) ?? -Infinity;
    return mongo && mongo.at > changedAt ? actions : actions.filter(({ kind }) => !ON_MONGO.has(kind));
  }

  async #carryOut(key: string, cluster: HashCluster, actions: readonly Action[]): Promise<Outcome> {
    const { applier, onAction, secrets, readings, clock } = this.#options;
    const outcome = await applier.carryOut(cluster, actions);
    this.#ledger.add(key, outcome.remembered, clock.now());
    for (const action of outcome.done) onAction(action);
    if (actions.some(({ kind }) => ON_MONGO.has(kind))) {
      this.#mongoChanged.set(key, clock.now());
      readings.expireMongo(key);
    }
    // Whether Secrets were made or deleted, the next round must see it; and of a cluster that goes nothing is kept.
    const touched = actions.some(({ kind }) => FORGETS.has(kind));
    if (touched) secrets.forget(cluster, secretNames(cluster));
    return outcome;
  }

  /** What cannot be read stops the round before its plan: the status says so all the same. Rejects with the error. */
  async #noteUnobserved(key: string, cluster: HashCluster, error: unknown): Promise<never> {
    const now = this.#options.clock.now();
    this.#failing.noteUnobserved(key, error, now);
    const failure = this.#failing.told(key, now).find(({ ref }) => ref === OBSERVE);
    const status = failure && unobservedStatus(cluster, failure, now);
    if (status) {
      const events = statusEvents(cluster.status, status);
      const written: Action = { kind: 'status', status, why: failure.message };
      await this.#options.applier.carryOut(cluster, [written, ...events]);
    }
    throw asError(error);
  }

  /** What failed is in the status, too, although the round may have ended before its own was written. */
  async #noteFailures(key: string, { observed, planned, outcome }: Round): Promise<void> {
    const now = this.#options.clock.now();
    const refused = this.#failing.note(key, planned, outcome, now);
    for (const refusal of refused) this.#options.onRefusal(key, refusal);
    const next = { ...observed, now, refusals: this.#failing.told(key, now) };
    const isWritten = isStatusDone(planned, outcome);
    if (isWritten && textOf(next) === textOf(observed)) return;
    const status = plan(next).actions.find((action) => action.kind === 'status');
    if (!status) return;
    const written = await this.#options.applier.carryOut(observed.cluster, [
      status,
      ...eventsOf(observed.cluster.status, status.status).filter((event) => !isDone(event, outcome)),
    ]);
    // What stopped the round is the better explanation, where there is one.
    if (written.failure && !outcome.failure) throw asError(written.failure.error);
  }

  #forget(key: string): void {
    this.#ledger.forget(key);
    this.#failing.forget(key);
    this.#overwritten.forget(key);
    this.#mongoChanged.delete(key);
    this.#options.readings.forget(key);
  }
}

/** Whether the round came as far as its status, and so there is nothing to make up for. */
function isStatusDone(planned: readonly Action[], { done, failure }: Outcome): boolean {
  if (failure?.action === 'status') return true;
  return planned.every((action) => action.kind !== 'status' || done.includes(action));
}

function isDone(event: Action, { done }: Outcome): boolean {
  const text = JSON.stringify(event);
  return done.some((action) => action.kind === 'event' && JSON.stringify(action) === text);
}

/** What has changed between two statuses, for people. */
function eventsOf(before: ClusterStatus | undefined, after: ClusterStatus): Action[] {
  return [...statusEvents(before, after), ...replicaSetEvents(before, after)];
}

/** What a status says of failures, without times. */
function textOf({ refusals, now }: Observed): string {
  return JSON.stringify(refusals.map(({ ref, message, since }) => [ref, message, now - since >= FAILING_MS]));
}

/** Names the action as the status does. */
function failed({ ref, error }: NonNullable<Outcome['failure']>): Error {
  return new Error(`${ref}: ${asError(error).message}`, { cause: error });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function againAfter({ recheckMs }: Plan, { refusals }: Outcome): number | null {
  if (refusals.length === 0) return recheckMs;
  return recheckMs === null ? REFUSED_MS : Math.max(recheckMs, REFUSED_MS);
}
