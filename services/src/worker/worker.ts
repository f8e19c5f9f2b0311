import { COST_CLASSES, costClassOf } from '../jobs/cost.ts';
import type { JobId, LiveJob } from '../jobs/job.ts';
import { dispatchTopic, type Dispatch } from '../jobs/messages.ts';
import type { HashState } from '../ports/hasher.ts';
import type { Checkpoint } from '../ports/job-store.ts';
import { Announcer } from './announcer.ts';
import type { WorkerDeps } from './deps.ts';
import { Finisher } from './finisher.ts';
import { HeldJobs, type HeldJob } from './held-jobs.ts';
import { Intake } from './intake.ts';
import { Keeper } from './keeper.ts';
import { settlesWithin } from '../runtime/deadline.ts';
import { Listener } from '../runtime/listener.ts';
import { retry } from '../runtime/retry.ts';
import { Teller } from '../runtime/teller.ts';
import { Watchdog } from './watchdog.ts';
import { workerMetrics, type WorkerMetrics } from './worker-metrics.ts';

/** The most jobs given back in one call. */
const RELEASE_BATCH = 1_000;

/** While a worker drains, giving back is tried again and again, as long as there is time. */
const RELEASE_AGAIN = { baseMs: 50, capMs: 1_000 };

/** A worker whose results are not written for so many leases, although its lease is renewed, ends itself. */
const STUCK_LEASES = 6;

/** Telling the others that it is over may take this long, in milliseconds: nothing depends on it. */
const LAST_WORDS_MS = 2_000;

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
  readonly #control: Listener<'control'>;
  readonly #teller: Teller;
  readonly #watchdog: Watchdog;
  #isStuck = false;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #stopping: Promise<void> | null = null;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    this.#metrics = workerMetrics(deps.metrics, deps.hasher, this.#held);
    const { bus, logger } = deps;
    this.#teller = new Teller({ bus, logger, lost: this.#metrics.lostMessages });
    const mayClaim = (): boolean => this.#mayClaim();
    this.#intake = new Intake(deps, this.#held, this.#metrics, {
      mayClaim,
      doubt: () => this.#keeper.doubt(),
      giveBack: (jobs) => this.#refuse(jobs),
    });
    this.#finisher = new Finisher(deps, this.#metrics, this.#teller);
    this.#watchdog = new Watchdog(deps, this.#held, this.#metrics);
    this.#keeper = new Keeper(deps, this.#held, this.#metrics, {
      renewed: () => this.#renewed(),
      drop: (ids) => this.#drop(ids),
      strays: (owned) => owned.filter(({ id }) => !this.#held.has(id) && !this.#finisher.has(id)),
      adopt: (strays) => this.#adopt(strays),
    });
    this.#announcer = new Announcer({
      ...{ deps, held: this.#held, teller: this.#teller, mayClaim },
      share: (count) => this.#share(count),
    });
    this.#control = new Listener({
      ...{ bus, logger, topic: 'control', group: null, maxBatch: 1_000 },
      handler: async ({ messages }) => {
        await this.#drop(messages.filter(({ id }) => this.#held.has(id)).map(({ id }) => id));
      },
    });
  }

  /** Starts the engines, then takes jobs in, also without the bus. Rejects when the store stays away. Idempotent. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    const { hasher, onFault } = this.#deps;
    await hasher.start({
      progress: (batch) => batch.forEach((state) => this.#held.move(state.key, state)),
      finished: (batch) => this.#finished(batch),
      fault: onFault,
    });
    await this.#keeper.start();
    void this.#control.start();
    await this.#announcer.start();
    // It may have been stopped meanwhile.
    if (this.#stopping) return;
    this.#watchdog.start();
    this.#intake.start();
  }

  /** Drains: claims nothing more, gives every job back where it stands, writes what is finished. Idempotent. */
  stop(): Promise<void> {
    if (this.#state === 'new') return Promise.resolve();
    this.#state = 'stopped';
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    const { settings, store, hasher, logger, clock } = this.#deps;
    const end = clock.monotonic() + settings.drainMs;
    const left = (): number => Math.max(0, end - clock.monotonic());
    logger.info('Draining', { jobs: this.#held.size });
    await settlesWithin(Promise.all([this.#intake.stop(), this.#watchdog.stop()]), left());
    await this.#attempt('say that this worker drains', () => this.#announcer.drain());
    const released = this.#attempt('give jobs back', () => this.#giveBack(this.#held.ids(), left()));
    await settlesWithin(released, left());
    await this.#finisher.flush(AbortSignal.timeout(Math.ceil(left())));
    await settlesWithin(this.#keeper.stop(), left());
    const isEmpty = this.#held.size + this.#finisher.size === 0;
    const parts = [
      this.#attempt('end the lease', () => store.renew(settings.id, 0)),
      ...(isEmpty ? [this.#attempt('say that this worker has left', () => this.#announcer.leave())] : []),
      ...[this.#announcer.stop(), this.#control.close(), this.#intake.close(), this.#teller.settled()],
    ];
    await settlesWithin(Promise.all(parts), LAST_WORDS_MS);
    await hasher.stop();
    logger.info('Drained', { unwritten: this.#finisher.size, held: this.#held.size });
  }

  /** Null when all is well; otherwise what is wrong, for health. */
  trouble(): string | null {
    if (this.#state !== 'running')
      return `the worker is ${this.#state === 'new' ? 'not started yet' : 'stopping'}`;
    const { settings } = this.#deps;
    const inSeconds = (ms: number): number => Math.round(ms / 1_000);
    if (this.#keeper.age() > settings.leaseMs)
      return `The lease has not been renewed for ${inSeconds(this.#keeper.age())} s`;
    const oldestMs = this.#finisher.oldestMs();
    return oldestMs > settings.leaseMs
      ? `Results have waited for ${inSeconds(oldestMs)} s to be stored; nothing more is claimed`
      : null;
  }

  /** What is claimed without a valid lease may be requeued at once; and finished work that is not written is enough. */
  #mayClaim(): boolean {
    return this.#keeper.isValid && this.#finisher.oldestMs() <= this.#deps.settings.leaseMs;
  }

  /** The store answers, so results that are not written for very long will not be, by this process. */
  #renewed(): void {
    const { settings, onFault } = this.#deps;
    const stuckMs = this.#finisher.stuckMs();
    if (this.#state === 'running' && !this.#isStuck && stuckMs > STUCK_LEASES * settings.leaseMs) {
      this.#isStuck = true;
      const results = this.#finisher.size;
      onFault(new Error(`${results} results could not be stored for ${Math.round(stuckMs / 1_000)} s`));
    }
    this.#intake.regulate();
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

  /** Jobs that were claimed and are not taken in. Where that fails, they are found as strays. */
  async #refuse(jobs: readonly LiveJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const { store, settings } = this.#deps;
    const points = jobs.map(({ id, position, digest }) => ({ id, position, digest }));
    await this.#attempt('give back what was not taken', () => store.release(settings.id, points));
  }

  #adopt(strays: readonly LiveJob[]): void {
    if (this.#state === 'running' && strays.length > 0) this.#intake.accept(strays);
  }

  /** Gives those jobs back that would run last here. When that fails, nobody knows whose they are until they are asked about. */
  async #share(count: number): Promise<void> {
    try {
      await this.#giveBack(this.#held.longest(count), 0);
    } catch (error) {
      this.#keeper.doubt();
      throw error;
    }
  }

  /** Back to the queue, at the point reached, for anybody to take. Tried again for `budgetMs` while the store is away. */
  async #giveBack(ids: readonly JobId[], budgetMs: number): Promise<void> {
    const { hasher, clock } = this.#deps;
    const end = clock.monotonic() + budgetMs;
    for (let i = 0; i < ids.length; i += RELEASE_BATCH) {
      const batch = ids.slice(i, i + RELEASE_BATCH);
      const states = await hasher.remove(batch);
      const removed = new Set(states.map(({ key }) => key));
      // Those that have ended are not held any more by now. What is held and was not hashed goes back, too.
      const idle = batch.map((id) => this.#held.get(id)).filter((job) => job && !removed.has(job.job.id));
      const points = [
        ...states.map(({ key, position, digest }) => ({ id: key, position, digest })),
        ...idle.map((job) => ({ id: job!.job.id, position: job!.position, digest: job!.digest })),
      ];
      const held = points.map(({ id }) => this.#held.take(id));
      await retry(() => this.#release(points, held), {
        ...{ ...RELEASE_AGAIN, budgetMs: end - clock.monotonic(), clock },
      });
    }
    this.#intake.regulate();
  }

  async #release(batch: readonly Checkpoint[], held: readonly (HeldJob | null)[]): Promise<void> {
    const { store, settings, logger } = this.#deps;
    const released = await store.release(settings.id, batch);
    this.#metrics.released.add(released.filter(Boolean).length);
    for (const costClass of COST_CLASSES) {
      const messages: Dispatch[] = [];
      batch.forEach(({ id, position }, i) => {
        const cost = (held[i]?.job.iterations ?? 0) - position;
        if (released[i] && costClassOf(cost) === costClass) messages.push({ id, cost });
      });
      this.#teller.tell(dispatchTopic(costClass), messages);
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
