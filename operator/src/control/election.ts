import { type Clock, systemClock } from '../runtime/clock.ts';
import { jittered, pause } from './backoff.ts';
import { type Lease, LeaseClient, type LeaseName, type LeaseSpec, microTime } from './lease.ts';
import type { Transport } from './transport.ts';

/** The time in which this process leads. */
export interface Term {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Throws when it is over, even if nobody has had the time to notice yet: to be called before each write. */
  readonly check: () => void;
}

export interface ElectionOptions extends LeaseName {
  readonly transport: Transport;
  /** Unique among all processes, also among those of one pod one after the other. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw, in milliseconds. */
  readonly leaseMs?: number;
  /** How long this process works on after its last renewal, in milliseconds. Less than `leaseMs`. */
  readonly renewMs?: number;
  /** From one attempt to the next, in milliseconds. */
  readonly retryMs?: number;
  readonly onElected: (term: Term) => void;
  /** The lease could not be renewed in time: this process must not work any more. Not called on `stop`. */
  readonly onLost: (error: Error) => void;
  /** An attempt that failed; the next comes. */
  readonly onTrouble: (error: unknown) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** A leader that dies is replaced within 15 s: the lease, and the time in which others see its last renewal. */
const DEFAULTS = { leaseMs: 12_000, renewMs: 8_000, retryMs: 2_000 };
const SHORTEST_MS = 20;

/**
 * One leader at a time, by a Lease. Clocks of different machines are never compared: a lease has run out when this
 * process has seen no change of it for its duration, by its own clock; and the leader counts from before it asked.
 * Source: client-go, `tools/leaderelection` (the algorithm, not the code).
 */
export class Election {
  readonly #options: ElectionOptions & typeof DEFAULTS;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #leases: LeaseClient;
  /** The lease as it was last seen, and since when it has been like this. */
  #seen: { readonly lease: Lease; readonly spec: string; readonly since: number } | null = null;
  #term: { readonly end: AbortController; timer: NodeJS.Timeout; deadline: number } | null = null;
  #running: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;

  constructor(options: ElectionOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#leases = new LeaseClient(options.transport, options);
  }

  /** Who holds the lease as far as is known; null: nobody. */
  get leader(): string | null {
    return this.#seen?.lease.spec?.holderIdentity || null;
  }

  get leads(): boolean {
    return this.#term !== null;
  }

  /** Idempotent. */
  start(): void {
    if (this.#running) return;
    const stop = new AbortController();
    this.#running = { stop, done: this.#run(stop.signal) };
  }

  /** Ends the term and hands the lease back, so that another can lead at once. Idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (!running) return;
    running.stop.abort(new Error('The election has stopped'));
    await running.done;
    const led = this.#term !== null;
    this.#endTerm(new Error('The election has stopped'));
    if (led) await this.#release();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#attempt();
      } catch (error) {
        this.#options.onTrouble(error);
      }
      await pause(this.#waitMs(), signal).catch(() => undefined);
    }
  }

  /** Until the next attempt: when the lease runs out, at the latest. */
  #waitMs(): number {
    const { retryMs } = this.#options;
    if (this.#term) return retryMs;
    const waitMs = jittered(retryMs, 0.2, this.#random);
    const leftMs = this.#leftMs();
    return leftMs > 0 ? Math.min(waitMs, leftMs + SHORTEST_MS) : waitMs;
  }

  async #attempt(): Promise<void> {
    const asked = this.#clock.monotonic();
    const timeoutMs = this.#timeoutMs();
    // The leader knows what it wrote; if somebody has changed it, that write fails, and it looks.
    if (!this.#term) this.#look(await this.#leases.read(timeoutMs));
    if (!this.#mayTake()) return;
    const old = this.#seen?.lease ?? null;
    const written = await this.#leases.write(this.#claim(old?.spec), old, timeoutMs);
    if (written) {
      this.#look(written);
      this.#extendTerm(asked);
      return;
    }
    this.#look(await this.#leases.read(timeoutMs));
    if (this.#term && this.leader !== null && this.leader !== this.#options.identity) {
      this.#lose(new Error(`${this.leader} has taken the lease`));
    }
  }

  #claim(old: LeaseSpec | undefined): LeaseSpec {
    const { identity, leaseMs } = this.#options;
    const now = microTime(this.#clock.now());
    const mine = old?.holderIdentity === identity;
    const transitions = old?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: mine ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: mine || !old ? transitions : transitions + 1,
    };
  }

  /** Two attempts fit into the time that is left to a leader. */
  #timeoutMs(): number {
    const { renewMs } = this.#options;
    if (!this.#term) return renewMs / 2;
    return Math.max(1, Math.min(renewMs / 2, this.#term.deadline - this.#clock.monotonic()));
  }

  #look(lease: Lease | null): void {
    if (!lease) {
      this.#seen = null;
      return;
    }
    const spec = JSON.stringify(lease.spec ?? {});
    const since = this.#seen?.spec === spec ? this.#seen.since : this.#clock.monotonic();
    this.#seen = { lease, spec, since };
  }

  #mayTake(): boolean {
    return this.leader === null || this.leader === this.#options.identity || this.#leftMs() <= 0;
  }

  /** How long the lease that was seen holds, as far as this process can tell. */
  #leftMs(): number {
    if (!this.#seen) return 0;
    const { leaseDurationSeconds = 0 } = this.#seen.lease.spec ?? {};
    const held = Math.max(this.#options.leaseMs, leaseDurationSeconds * 1000);
    return this.#seen.since + held - this.#clock.monotonic();
  }

  #extendTerm(asked: number): void {
    const deadline = asked + this.#options.renewMs;
    const leftMs = Math.max(0, deadline - this.#clock.monotonic());
    const timer = setTimeout(() => this.#lose(this.#late()), leftMs);
    if (this.#term) {
      clearTimeout(this.#term.timer);
      this.#term.timer = timer;
      this.#term.deadline = deadline;
      return;
    }
    const end = new AbortController();
    const term = { end, timer, deadline };
    this.#term = term;
    const check = (): void => {
      if (this.#term === term && this.#clock.monotonic() >= term.deadline) this.#lose(this.#late());
      end.signal.throwIfAborted();
    };
    this.#options.onElected({ signal: end.signal, check });
  }

  #lose(error: Error): void {
    this.#running?.stop.abort(error);
    this.#endTerm(error);
    this.#options.onLost(error);
  }

  #late(): Error {
    return new Error(`The lease could not be renewed within ${this.#options.renewMs} ms`);
  }

  #endTerm(reason: Error): void {
    clearTimeout(this.#term?.timer);
    this.#term?.end.abort(reason);
    this.#term = null;
  }

  async #release(): Promise<void> {
    const { lease } = this.#seen ?? {};
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const now = microTime(this.#clock.now());
    const spec = {
      ...lease.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
    };
    try {
      await this.#leases.write(spec, lease, this.#options.retryMs);
    } catch (error) {
      // Then the others wait for the lease to run out.
      this.#options.onTrouble(error);
    }
  }
}
