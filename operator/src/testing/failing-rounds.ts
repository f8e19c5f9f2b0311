import type { HashCluster } from '../api/hash-cluster.ts';
import type { ClusterStatus } from '../api/status.ts';
import type { Outcome } from '../apply/applier.ts';
import { actionRef, type Action } from '../plan/action.ts';
import type { Observed } from '../plan/observed.ts';
import { World } from '../plan/testing/world.ts';
import { Reconciler } from '../reconcile.ts';

/** Virtual time: as many rounds as there are, so far apart, in milliseconds. */
const ROUNDS = 30;
const EVERY_MS = 3_000;
/** What a HashCluster that was at rest says of itself from a moment on, in milliseconds since 1970. */
export interface SaidThen {
  readonly at: number;
  readonly isReady: boolean;
}

/** What of it fails: the writing of an object, or the reading before any plan. */
export type Fails = 'writing' | 'reading';

/** A cluster that is ready, and lacks its PodDisruptionBudgets. */
function atRest(): Observed {
  const world = new World();
  world.settle();
  for (const [key, { kind }] of world.children)
    if (kind === 'PodDisruptionBudget') world.children.delete(key);
  return world.observe();
}

/** A cluster at rest, of which something fails in every round. */
class FailingCluster {
  readonly said: SaidThen[] = [];
  readonly log: string[] = [];
  readonly #fails: Fails;
  readonly #observed = atRest();
  #status = this.#observed.cluster.status;
  #round = 0;

  constructor(fails: Fails) {
    this.#fails = fails;
    this.#say(this.#status!);
  }

  readonly clock = { now: (): number => this.#now, monotonic: (): number => this.#now };

  get #now(): number {
    return this.#observed.now + this.#round * EVERY_MS;
  }

  get cluster(): HashCluster {
    return { ...this.#observed.cluster, status: this.#status! };
  }

  /** Rounds of a reconciler, with the lines that the operator writes when one fails. */
  async run(): Promise<void> {
    const reconciler = this.#reconciler();
    for (; this.#round < ROUNDS; this.#round += 1)
      await reconciler.reconcile('ns/hc').catch((error: unknown) => {
        const line = { message: 'A HashCluster was not reconciled', cluster: 'ns/hc', waitMs: EVERY_MS };
        const timestamp = new Date(this.#now).toISOString();
        this.log.push(JSON.stringify({ timestamp, ...line, error: { message: (error as Error).message } }));
      });
  }

  #reconciler(): Reconciler {
    const { pods, children, readings, api, defaults, secrets } = this.#observed;
    // As new as the round is.
    const fresh = () => ({ ...readings, mongo: readings.mongo && { ...readings.mongo, at: this.#now } });
    return new Reconciler({
      clock: this.clock,
      caches: {
        ...{ cluster: () => this.cluster, pods: () => [...pods], podsSilentMs: () => 0 },
        children: () => [...children],
      },
      secrets: {
        facts: () =>
          this.#fails === 'reading' ? Promise.reject(new Error('no answer')) : Promise.resolve([...secrets]),
        forget: () => undefined,
      },
      readings: { of: fresh, expireMongo: () => undefined, forget: () => undefined },
      api: () => ({ facts: api, storageClasses: null }),
      applier: { carryOut: (_cluster, actions) => Promise.resolve(this.#carryOut(actions)) },
      defaults,
      readLive: () => Promise.resolve(null),
      onAction: () => undefined,
      onRefusal: () => undefined,
    });
  }

  /** All that is asked for, until a budget is: what comes after what fails is not carried out. */
  #carryOut(actions: readonly Action[]): Outcome {
    const done: Action[] = [];
    for (const action of actions) {
      const ref = actionRef(action);
      if (this.#fails === 'writing' && ref.startsWith('PodDisruptionBudget')) {
        const failure = { action: action.kind, ref, error: new Error('refused: 500') };
        return { done, refusals: [], remembered: [], failure };
      }
      if (action.kind === 'status') this.#say(action.status);
      done.push(action);
    }
    return { done, refusals: [], remembered: [], failure: null };
  }

  #say(status: ClusterStatus): void {
    this.#status = status;
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    this.said.push({ at: this.#now, isReady: ready?.status === 'True' });
  }
}

/** What a cluster at rest says while something fails for a minute and a half of virtual time, and what the operator logs. */
export async function failingRounds(
  fails: Fails,
): Promise<{ readonly said: readonly SaidThen[]; readonly log: string }> {
  const cluster = new FailingCluster(fails);
  await cluster.run();
  return { said: cluster.said, log: cluster.log.join('\n') };
}
