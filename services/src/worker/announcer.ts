import type { Alive } from '../jobs/messages.ts';
import { jobsToRelease } from '../jobs/share.ts';
import type { Batch, Subscription } from '../ports/bus.ts';
import { Ticker } from '../runtime/ticker.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJobs } from './held-jobs.ts';

/** The most positions in one alive message. */
const MAX_POSITIONS = 1_000;

/** After so many alive intervals of silence a peer does not count any more. */
const SILENT_INTERVALS = 5;

/** Says that this worker is alive, hears the others, and decides how many jobs to give back for them. */
export class Announcer {
  readonly #deps: WorkerDeps;
  readonly #held: HeldJobs;
  readonly #share: (count: number) => Promise<void>;
  readonly #peers = new Map<string, { readonly alive: Alive; readonly heardAt: number }>();
  readonly #ticker: Ticker;
  readonly #startedAt: number;
  #subscription: Subscription | null = null;
  #draining = false;
  #last: { readonly at: number; readonly iterations: number };

  /** @param share gives this many jobs back to the queue */
  constructor(deps: WorkerDeps, held: HeldJobs, share: (count: number) => Promise<void>) {
    this.#deps = deps;
    this.#held = held;
    this.#share = share;
    this.#startedAt = deps.clock.now();
    this.#last = { at: deps.clock.monotonic(), iterations: 0 };
    this.#ticker = new Ticker({
      everyMs: deps.settings.aliveMs,
      run: () => this.#tick(),
      onError: (error) => deps.logger.warn('Could not say that this worker is alive', { error }),
    });
  }

  async start(): Promise<void> {
    const options = { group: null, maxBatch: 100 };
    this.#subscription = await this.#deps.bus.subscribe('alive', options, (batch) => this.#hear(batch));
    this.#ticker.start();
    await this.#ticker.now();
  }

  /** Says at once that this worker takes nothing more. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#ticker.now();
  }

  async stop(): Promise<void> {
    await this.#ticker.stop();
    await this.#subscription?.close();
    this.#subscription = null;
  }

  async #tick(): Promise<void> {
    await this.#deps.bus.publish('alive', [await this.#message()]);
    if (this.#draining) return;
    const count = jobsToRelease(this.#me(), this.#livePeers());
    if (count > 0) await this.#share(count);
  }

  async #message(): Promise<Alive> {
    const { hasher, settings, clock, usage } = this.#deps;
    const { backend, engines, lanes } = hasher.description;
    const { freeLanes, iterationsDone, iterationsLeft, capacity } = hasher.load();
    const now = clock.monotonic();
    const seconds = Math.max(0.001, (now - this.#last.at) / 1_000);
    const rate = (iterationsDone - this.#last.iterations) / seconds;
    this.#last = { at: now, iterations: iterationsDone };
    const { cpu, disk } = await usage();
    return {
      ...{ worker: settings.id, host: settings.host, node: settings.node },
      ...{ startedAt: this.#startedAt, at: clock.now() },
      ...{ backend, engines, lanes: engines * lanes, freeLanes, rate, capacity },
      ...{ jobs: this.#held.size, backlogSeconds: iterationsLeft / Math.max(1, capacity) },
      positions: this.#held.takeMoved(MAX_POSITIONS).map(({ job, position }) => ({ id: job.id, position })),
      ...{ cpu, disk, draining: this.#draining },
    };
  }

  #me(): { lanes: number; freeLanes: number; jobs: number; draining: boolean } {
    const { engines, lanes } = this.#deps.hasher.description;
    const { freeLanes } = this.#deps.hasher.load();
    return { lanes: engines * lanes, freeLanes, jobs: this.#held.size, draining: this.#draining };
  }

  #livePeers(): Alive[] {
    const { clock, settings } = this.#deps;
    const oldest = clock.monotonic() - SILENT_INTERVALS * settings.aliveMs;
    for (const [id, { heardAt }] of this.#peers) if (heardAt < oldest) this.#peers.delete(id);
    return [...this.#peers.values()].map(({ alive }) => alive);
  }

  #hear(batch: Batch<'alive'>): Promise<void> {
    const heardAt = this.#deps.clock.monotonic();
    for (const alive of batch.messages) {
      if (alive.worker !== this.#deps.settings.id) this.#peers.set(alive.worker, { alive, heardAt });
    }
    return Promise.resolve();
  }
}
