import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../runtime/retry.ts';
import type { Health } from './health.ts';
import type { TopicSpec } from './topic-specs.ts';
import { within } from './within.ts';
import type { Wire } from './wire.ts';

/** Asking for the topics, and creating them, may take this long, in milliseconds. */
const CALL_MS = 10_000;
/** From asking for topics to all of them having leaders. */
const READY_MS = 15_000;
const LOOK_AGAIN_MS = 100;
/** Between two looks when all is well. */
const IDLE_MS = 5_000;
/** Between two attempts when it is not. */
const RETRIES = { baseMs: 200, capMs: 2_000 };
const LEAST_REST_MS = 50;

export interface TopicKeeperOptions {
  readonly wire: Wire;
  readonly specs: readonly TopicSpec[];
  readonly health: Health;
}

/**
 * Keeps the topics there, as long as it runs: created when they are missing, and again when Kafka lost its data. What it
 * finds says whether Kafka can be used.
 */
export class TopicKeeper {
  readonly #options: TopicKeeperOptions;
  readonly #stop = new AbortController();
  #partitions: ReadonlyMap<string, number> = new Map();
  #checking: Promise<void> | null = null;
  #running: Promise<void> | null = null;

  constructor(options: TopicKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#keep();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** How many partitions the topic has, as far as we know; 0 when it is not there. */
  partitions(name: string): number {
    return this.#partitions.get(name) ?? 0;
  }

  /** Looks now that every topic is there, or joins the look that is under way. Rejects when Kafka cannot be used. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #check(): Promise<void> {
    const { wire, health } = this.#options;
    try {
      await within(this.#makeReady(), READY_MS + CALL_MS, 'Kafka');
      health.up();
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        health.down(error);
        await within(wire.reset(), CALL_MS, 'Closing connections to Kafka').catch(() => {});
      }
      throw error;
    }
  }

  async #makeReady(): Promise<void> {
    const { specs, wire } = this.#options;
    const names = specs.map(({ name }) => name);
    const end = performance.now() + READY_MS;
    let created = false;
    for (;;) {
      const found = await within(wire.partitions(names), CALL_MS, 'Asking Kafka for topics');
      const missing = specs.filter(({ name }) => !found.has(name));
      if (missing.length === 0 && (!created || (await this.#areLed(names)))) {
        this.#partitions = found;
        return;
      }
      if (missing.length > 0 && !created) {
        await within(wire.create(missing), CALL_MS, 'Creating topics');
        created = true;
      }
      const waits = missing.map(({ name }) => name).join(', ') || 'their leaders';
      if (performance.now() > end) throw new Error(`Topics are not ready: ${waits}`);
      await this.#rest(LOOK_AGAIN_MS);
      this.#stop.signal.throwIfAborted();
    }
  }

  /** Right after a topic was created, its leaders may not know yet that they are. */
  async #areLed(names: readonly string[]): Promise<boolean> {
    const { wire } = this.#options;
    const asked = Promise.all(names.map((name) => wire.ends(name))).then(
      () => true,
      () => false,
    );
    return within(asked, CALL_MS, 'Asking for the ends of topics');
  }

  async #keep(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      try {
        await this.check();
        failures = 0;
        await this.#rest(IDLE_MS);
      } catch {
        // `check` has told the health of the bus.
        await this.#rest(LEAST_REST_MS + backoffMs(failures++, RETRIES, Math.random));
      }
    }
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
