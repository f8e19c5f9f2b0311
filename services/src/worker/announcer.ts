import type { Alive } from '../jobs/messages.ts';
import { jobsToRelease, type Peer } from '../jobs/share.ts';
import type { Batch } from '../ports/bus.ts';
import { settlesWithin } from '../runtime/deadline.ts';
import { Listener } from '../runtime/listener.ts';
import type { Teller } from '../runtime/teller.ts';
import { Ticker } from '../runtime/ticker.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJobs } from './held-jobs.ts';

/** The most positions in one alive message. */
const MAX_POSITIONS = 1_000;

/** After so many alive intervals of silence a peer does not count any more. */
const SILENT_INTERVALS = 5;

export interface AnnouncerOptions {
  readonly deps: WorkerDeps;
  readonly held: HeldJobs;
  readonly teller: Teller;
  readonly mayClaim: () => boolean;
  /** Gives this many jobs back to the queue. */
  readonly share: (count: number) => Promise<void>;
}

/** Says that this worker is alive, hears the others, and decides how many jobs to give back for them. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #peers = new Map<string, { readonly alive: Alive; readonly heardAt: number }>();
  readonly #ticker: Ticker;
  readonly #listener: Listener<'alive'>;
  /** By both clocks: for people to read and to tell processes apart, and to measure from. */
  readonly #startedAt: { readonly wall: number; readonly monotonic: number };
  #sharing: Promise<void> | null = null;
  #sharedAt = -Infinity;
  #draining = false;
  #last: { readonly at: number; readonly iterations: number };

  constructor(options: AnnouncerOptions) {
    const { deps } = options;
    const { bus, logger, settings, clock } = deps;
    this.#options = options;
    this.#startedAt = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#last = { at: this.#startedAt.monotonic, iterations: 0 };
    this.#ticker = new Ticker({
      everyMs: settings.aliveMs,
      run: () => this.#announce(),
      onError: (error) => logger.warn('Could not say that this worker is alive', { error }),
    });
    const handler = (batch: Batch<'alive'>): Promise<void> => this.#hear(batch);
    this.#listener = new Listener({ bus, logger, topic: 'alive', group: null, maxBatch: 100, handler });
  }

  /** Says at once that this worker is there. What others say may begin to come later. */
  async start(): Promise<void> {
    const { settings } = this.#options.deps;
    // Whoever answers is heard; but a bus that is away is not waited for.
    await settlesWithin(this.#listener.start(), settings.aliveMs);
    this.#ticker.start();
    await this.#ticker.now();
  }

  /** Says at once that this worker takes nothing more. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#announce();
  }

  /** Says, after `drain`, that this worker holds nothing any more and ends: nobody need wait for it to fall silent. */
  async leave(): Promise<void> {
    await this.#ticker.stop();
    this.#options.teller.tell('alive', [{ ...(await this.#message()), left: true }]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#ticker.stop(), this.#listener.close(), this.#sharing]);
  }

  async #announce(): Promise<void> {
    this.#options.teller.tell('alive', [await this.#message()]);
  }

  async #message(): Promise<Alive> {
    const { held, deps } = this.#options;
    const { hasher, settings, clock, usage, store } = deps;
    const { backend, engines, lanes } = hasher.description;
    const { freeLanes, iterationsDone, iterationsLeft, capacity } = hasher.load();
    // Where it can claim nothing the others must not give jobs back for it.
    const offered = store.trouble() === null && this.#options.mayClaim() ? freeLanes : 0;
    const now = clock.monotonic();
    const seconds = Math.max(0.001, (now - this.#last.at) / 1_000);
    const rate = (iterationsDone - this.#last.iterations) / seconds;
    this.#last = { at: now, iterations: iterationsDone };
    const { cpu, disk } = await usage();
    return {
      ...{ worker: settings.id, host: settings.host, node: settings.node },
      ...{ startedAt: this.#startedAt.wall, at: clock.now(), uptimeMs: now - this.#startedAt.monotonic },
      ...{ backend, engines, lanes: engines * lanes, freeLanes: offered, rate, capacity },
      ...{ jobs: held.size, backlogSeconds: iterationsLeft / Math.max(1, capacity) },
      positions: held.takeMoved(MAX_POSITIONS).map(({ job, position }) => ({ id: job.id, position })),
      ...{ cpu, disk, draining: this.#draining },
    };
  }

  #me(): Peer {
    const { held, deps } = this.#options;
    const { engines, lanes } = deps.hasher.description;
    const { freeLanes } = deps.hasher.load();
    return { lanes: engines * lanes, freeLanes, jobs: held.size, draining: this.#draining };
  }

  /**
   * The others that are alive. Those that were not heard since this worker last gave jobs back, and had the time to take
   * them, have no free lanes any more, as far as anybody knows.
   */
  #livePeers(): Peer[] {
    const { clock, settings } = this.#options.deps;
    const now = clock.monotonic();
    const settled = this.#sharedAt + settings.aliveMs / 2;
    const peers: Peer[] = [];
    for (const [id, { alive, heardAt }] of this.#peers) {
      if (heardAt < now - SILENT_INTERVALS * settings.aliveMs) this.#peers.delete(id);
      else peers.push(heardAt < settled ? { ...alive, freeLanes: 0 } : alive);
    }
    return peers;
  }

  #hear(batch: Batch<'alive'>): Promise<void> {
    const { clock, settings } = this.#options.deps;
    const heardAt = clock.monotonic();
    for (const alive of batch.messages) {
      if (alive.worker !== settings.id) this.#peers.set(alive.worker, { alive, heardAt });
    }
    this.#sharing ??= this.#share().finally(() => (this.#sharing = null));
    return Promise.resolve();
  }

  /** At once when somebody is heard to have nothing to do. */
  async #share(): Promise<void> {
    const { share, deps } = this.#options;
    const count = jobsToRelease(this.#me(), this.#livePeers());
    if (count === 0 || this.#draining) return;
    try {
      await share(count);
    } catch (error) {
      deps.logger.warn('Could not give jobs back for others to take', { error, jobs: count });
    }
    this.#sharedAt = deps.clock.monotonic();
  }
}
