import { defaulted } from './api/defaulted.ts';
import type { HashCluster } from './api/hash-cluster.ts';
import type { Applier, Outcome, Refusal } from './apply/applier.ts';
import type { ApiWatch } from './observe/api-facts.ts';
import type { Caches } from './observe/caches.ts';
import { Ledger } from './observe/ledger.ts';
import type { ReadingsBook } from './observe/readings.ts';
import { secretNames, type Secrets } from './observe/secrets.ts';
import type { Action, ActionKind, Plan } from './plan/action.ts';
import type { Observed, OperatorDefaults } from './plan/observed.ts';
import { plan } from './plan/plan.ts';
import type { Clock } from './runtime/clock.ts';

export interface ReconcilerOptions {
  readonly caches: Caches;
  readonly secrets: Secrets;
  readonly readings: ReadingsBook;
  readonly api: () => Pick<ApiWatch, 'facts' | 'storageClasses'>;
  readonly applier: Applier;
  readonly defaults: OperatorDefaults;
  readonly onAction: (action: Action) => void;
  readonly clock: Clock;
}

/** What is remembered of the last rounds of one HashCluster. */
interface Trouble {
  readonly refusals: readonly Refusal[];
  /** Rounds in a row that did not come to their end. */
  readonly failures: number;
}

const NO_TROUBLE: Trouble = { refusals: [], failures: 0 };
/** A round that fails once is nothing to tell people about: objects change under our hands, API servers restart. */
const TELL_AFTER = 2;
/** What was refused is tried again after so many milliseconds: quotas and webhooks change without a word to us. */
const REFUSED_MS = 30_000;

/** What is decided on what MongoDB says of itself. */
const ON_MONGO: ReadonlySet<ActionKind> = new Set(['initiateMongo', 'reconfigureMongo', 'ensureMongoUsers']);

/** After these, Secrets may not be what they were, or of no interest any more. */
const FORGETS: ReadonlySet<ActionKind> = new Set(['createSecret', 'delete', 'finalizer']);

/** Observe, plan, apply, for one HashCluster at a time. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #ledger = new Ledger();
  readonly #troubles = new Map<string, Trouble>();
  /** When MongoDB was changed last, in milliseconds since 1970. */
  readonly #mongoChanged = new Map<string, number>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
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
    const observed = await this.#observe(key, cluster);
    const made = plan(observed);
    const outcome = await this.#carryOut(key, cluster, this.#notYetDone(key, observed, made.actions));
    await this.#noteTrouble(key, observed, outcome);
    if (outcome.failure) throw asError(outcome.failure.error);
    return againAfter(made, outcome);
  }

  async #observe(key: string, cluster: HashCluster): Promise<Observed> {
    const { caches, secrets, readings, defaults, clock } = this.#options;
    const { facts, storageClasses } = this.#options.api();
    const now = clock.now();
    const pods = caches.pods(cluster);
    return {
      ...{ now, cluster, pods, defaults },
      viewAt: now - caches.podsSilentMs(cluster.metadata.namespace),
      children: caches.children(cluster),
      secrets: await secrets.facts(cluster),
      readings: readings.of(cluster, pods, facts.podMetrics),
      ledger: this.#ledger.of(key),
      ...{ api: facts, storageClasses },
      refusals: this.#troubles.get(key)?.refusals ?? [],
    };
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
    for (const action of actions.slice(0, outcome.done)) onAction(action);
    if (actions.some(({ kind }) => ON_MONGO.has(kind))) {
      this.#mongoChanged.set(key, clock.now());
      readings.expireMongo(key);
    }
    // Whether Secrets were made or deleted, the next round must see it; and of a cluster that goes nothing is kept.
    const touched = actions.some(({ kind }) => FORGETS.has(kind));
    if (touched) secrets.forget(cluster, secretNames(cluster));
    return outcome;
  }

  /** When what is refused differs from what the status tells, the status is written once more. */
  async #noteTrouble(key: string, observed: Observed, { refusals, failure }: Outcome): Promise<void> {
    const before = this.#troubles.get(key) ?? NO_TROUBLE;
    const failures = failure ? before.failures + 1 : 0;
    const told = failure && failures >= TELL_AFTER ? [...refusals, failureAsRefusal(failure)] : refusals;
    if (failures === 0 && told.length === 0) this.#troubles.delete(key);
    else this.#troubles.set(key, { refusals: told, failures });
    if (textOf(told) === textOf(before.refusals)) return;
    const status = plan({ ...observed, refusals: told }).actions.filter(({ kind }) => kind === 'status');
    const written = await this.#options.applier.carryOut(observed.cluster, status);
    // What stopped the round is the better explanation, where there is one.
    if (written.failure && !failure) throw asError(written.failure.error);
  }

  #forget(key: string): void {
    this.#ledger.forget(key);
    this.#troubles.delete(key);
    this.#mongoChanged.delete(key);
    this.#options.readings.forget(key);
  }
}

function failureAsRefusal({ action, error }: NonNullable<Outcome['failure']>): Refusal {
  return { ref: action, message: asError(error).message };
}

function textOf(refusals: readonly Refusal[]): string {
  return JSON.stringify(refusals);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function againAfter({ recheckMs }: Plan, { refusals }: Outcome): number | null {
  if (refusals.length === 0) return recheckMs;
  return recheckMs === null ? REFUSED_MS : Math.max(recheckMs, REFUSED_MS);
}
