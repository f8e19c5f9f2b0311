import { COST_CLASSES, costClassOf } from '../jobs/cost.ts';
import type { JobId, LiveJob } from '../jobs/job.ts';
import { dispatchTopic, type Dispatch } from '../jobs/messages.ts';
import type { Subscription } from '../ports/bus.ts';
import type { HashState } from '../ports/hasher.ts';
import type { Checkpoint } from '../ports/job-store.ts';
import { Announcer } from './announcer.ts';
import type { WorkerDeps } from './deps.ts';
import { Finisher } from './finisher.ts';
import { HeldJobs } from './held-jobs.ts';
import { Intake } from './intake.ts';
import { Keeper } from './keeper.ts';
import { workerMetrics, type WorkerMetrics } from './worker-metrics.ts';

/** The most jobs given back in one call. */
const RELEASE_BATCH = 1_000;

/**
 * Claims jobs, has them hashed on every core, writes checkpoints and results. Keeps nothing that it cannot afford to
 * lose: it can be killed at any instruction.
 */
export class Worker {
  readonly #deps: WorkerDeps;
  readonly #held = new HeldJobs();
  readonly #metrics: WorkerMetrics;
  readonly #intake: Intake;
  readonly #finisher: Finisher;
  readonly #keeper: Keeper;
  readonly #announcer: Announcer;
  #control: Subscription | null = null;
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    this.#metrics = workerMetrics(deps.metrics, deps.hasher, this.#held);
    this.#intake = new Intake(deps, this.#held, this.#metrics);
    this.#finisher = new Finisher(deps, this.#metrics);
    this.#keeper = new Keeper(deps, this.#held, this.#metrics, {
      drop: (ids) => this.#drop(ids),
      reconcile: (owned) => this.#reconcile(owned),
    });
    this.#announcer = new Announcer(deps, this.#held, (count) => this.#giveBack(this.#held.longest(count)));
  }

  /** Starts the engines, then takes jobs in. Rejects when the store or the bus cannot be used. Idempotent. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    const { hasher, bus, onFault } = this.#deps;
    await hasher.start({
      progress: (batch) => batch.forEach((state) => this.#held.move(state.key, state)),
      finished: (batch) => this.#finished(batch),
      fault: onFault,
    });
    await this.#keeper.start();
    const options = { group: null, maxBatch: 1_000 };
    this.#control = await bus.subscribe('control', options, async ({ messages }) => {
      await this.#drop(messages.filter(({ id }) => this.#held.has(id)).map(({ id }) => id));
    });
    await this.#announcer.start();
    await this.#intake.start();
  }

  /** Drains: claims nothing more, gives every job back where it stands, writes what is finished. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    const { settings, store, hasher, logger } = this.#deps;
    const signal = AbortSignal.timeout(settings.drainMs);
    logger.info('Draining', { jobs: this.#held.size });
    await this.#intake.stop();
    await this.#attempt('say that this worker drains', () => this.#announcer.drain());
    await this.#attempt('give jobs back', () => this.#giveBack(this.#held.ids()));
    await this.#finisher.flush(signal);
    await Promise.all([this.#announcer.stop(), this.#keeper.stop(), this.#control?.close()]);
    await this.#attempt('end the lease', () => store.renew(settings.id, 0));
    await hasher.stop();
    logger.info('Drained', { unwritten: this.#finisher.size });
  }

  /** Null when all is well; otherwise what is wrong, for health. */
  trouble(): string | null {
    const { settings } = this.#deps;
    const seconds = Math.round(this.#keeper.age() / 1_000);
    return this.#keeper.age() > settings.leaseMs ? `The lease has not been renewed for ${seconds} s` : null;
  }

  #finished(batch: readonly HashState[]): void {
    for (const state of batch) {
      const held = this.#held.take(state.key);
      if (held) this.#finisher.finish(held, state);
    }
    this.#intake.regulate();
  }

  /** These jobs are somebody else's, or nobody's: hashing them on would be wasted. */
  async #drop(ids: readonly JobId[]): Promise<void> {
    if (ids.length === 0) return;
    const { hasher, store, settings, logger } = this.#deps;
    await hasher.remove(ids);
    const dropped = ids.map((id) => this.#held.take(id)).filter((held) => held !== null);
    // Should the store still think that one is ours, it goes back to the queue with the progress that the store has.
    const origins = dropped.map(({ job }) => ({ id: job.id, position: 1, digest: job.chain }));
    await this.#attempt('let go of jobs', () => store.release(settings.id, origins));
    logger.debug('Jobs dropped', { jobs: dropped.length });
    this.#intake.regulate();
  }

  /** Jobs that the store thinks are ours but that we know nothing of: the answer to a claim got lost. Ours they are. */
  #reconcile(owned: readonly LiveJob[]): void {
    if (this.#state !== 'running') return;
    const strays = owned.filter(({ id }) => !this.#held.has(id) && !this.#finisher.has(id));
    if (strays.length > 0) this.#intake.accept(strays);
  }

  /** Back to the queue, at the point reached, for anybody to take. */
  async #giveBack(ids: readonly JobId[]): Promise<void> {
    for (let i = 0; i < ids.length; i += RELEASE_BATCH) {
      const states = await this.#deps.hasher.remove(ids.slice(i, i + RELEASE_BATCH));
      await this.#release(states.map(({ key, position, digest }) => ({ id: key, position, digest })));
    }
    this.#intake.regulate();
  }

  async #release(batch: readonly Checkpoint[]): Promise<void> {
    const { store, settings, bus, logger } = this.#deps;
    const held = batch.map(({ id }) => this.#held.take(id));
    const released = await store.release(settings.id, batch);
    this.#metrics.released.add(released.filter(Boolean).length);
    for (const costClass of COST_CLASSES) {
      const messages: Dispatch[] = [];
      batch.forEach(({ id, position }, i) => {
        const cost = (held[i]?.job.iterations ?? 0) - position;
        if (released[i] && costClassOf(cost) === costClass) messages.push({ id, cost });
      });
      if (messages.length > 0) await bus.publish(dispatchTopic(costClass), messages);
    }
    logger.info('Jobs given back', { jobs: batch.length });
  }

  async #attempt(what: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#metrics.storeErrors.add(1, { call: what });
      this.#deps.logger.warn(`Could not ${what}; the lease runs out by itself`, { error });
    }
  }
}
