import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../ports/logger.ts';
import { backoffMs } from '../../runtime/retry.ts';
import type { Health } from './health.ts';
import type { TopicSpec } from './topic-specs.ts';
import { refusingSettings, wrongSettings } from './topic-settings.ts';
import { reasonOf, within } from './within.ts';
import type { TopicState, Wire } from './wire.ts';

/** Asking for the topics, and creating them, may take this long, in milliseconds. */
const CALL_MS = 10_000;
/** From asking for topics to all of them having leaders. */
const READY_MS = 15_000;
const LOOK_AGAIN_MS = 100;
/** Between two looks when all is well. */
const IDLE_MS = 5_000;
/** How often the settings of topics are read: somebody may mend them. */
const SETTINGS_MS = 60_000;
/** While a part of the topics cannot be used. */
const PARTLY_MS = 2_000;
/** Topics whose faults are named; the others are counted. */
const MAX_FAULTS = 3;
/** Between two attempts when it is not. */
const RETRIES = { baseMs: 200, capMs: 2_000 };
const LEAST_REST_MS = 50;

export interface TopicKeeperOptions {
  readonly wire: Wire;
  readonly specs: readonly TopicSpec[];
  readonly health: Health;
  readonly logger: Logger;
}

/**
 * Keeps the topics there, as long as it runs: created when they are missing, and again when Kafka lost its data. What it
 * finds says whether Kafka can be used.
 */
export class TopicKeeper {
  readonly #options: TopicKeeperOptions;
  readonly #stop = new AbortController();
  #states: ReadonlyMap<string, TopicState | Error> = new Map();
  /** Why the brokers do not create a topic. */
  readonly #refused = new Map<string, string>();
  /** Settings with which a topic refuses everything, in words. */
  readonly #refusing = new Map<string, string>();
  #settingsDueAt = -Infinity;
  readonly #toldSettings = new Set<string>();
  /** When a topic could be used last; the begin, when it never could. Milliseconds of the monotonic clock. */
  readonly #usableAt = new Map<string, number>();
  readonly #begun = performance.now();
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

  /** The partitions of a topic that have a leader, as far as we know; none when the topic cannot be used. */
  led(name: string): readonly number[] {
    const state = this.#states.get(name);
    return state === undefined || state instanceof Error ? [] : state.led;
  }

  /** What is wrong with a topic, or with a part of it; null when nothing is, as far as we know. */
  fault(name: string): string | null {
    const state = this.#states.get(name);
    if (state === undefined) return `${name}: ${this.#refused.get(name) ?? 'is not there'}`;
    if (state instanceof Error) return `${name}: ${reasonOf(state)}`;
    const unled = state.partitions - state.led.length;
    if (unled > 0) return `${name}: ${unled} of ${state.partitions} partitions have no leader`;
    const refusing = this.#refusing.get(name);
    return refusing === undefined ? null : `${name}: ${refusing}`;
  }

  /** For how long a topic has not been usable, in milliseconds; 0 while it is. */
  unusableMs(name: string): number {
    if (this.led(name).length > 0) return 0;
    return performance.now() - (this.#usableAt.get(name) ?? this.#begun);
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
      await this.#readSettings();
      health.up(this.#faults());
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        health.down(error);
        await within(wire.reset(), CALL_MS, 'Closing connections to Kafka').catch(() => {});
      }
      throw error;
    }
  }

  /** Resolves when all is as good as it gets. Rejects when no topic can be used. */
  async #makeReady(): Promise<void> {
    const names = this.#options.specs.map(({ name }) => name);
    const end = performance.now() + READY_MS;
    const created = new Set<string>();
    for (;;) {
      await this.#look(names);
      const missing = this.#options.specs.filter(({ name }) => !this.#states.has(name) && !created.has(name));
      await this.#create(missing);
      for (const { name } of missing) created.add(name);
      const late = performance.now() > end;
      if (missing.length === 0 && (late || (await this.#areReady(created)))) break;
      await this.#rest(LOOK_AGAIN_MS);
      this.#stop.signal.throwIfAborted();
    }
    if (names.every((name) => this.led(name).length === 0))
      throw new Error(this.#faults() ?? 'There are no topics');
  }

  async #look(names: readonly string[]): Promise<void> {
    this.#states = await within(this.#options.wire.topics(names), CALL_MS, 'Asking Kafka for topics');
    for (const name of names) {
      if (this.led(name).length > 0) this.#usableAt.set(name, performance.now());
    }
  }

  /** One that may not be created does not hinder the others. */
  async #create(specs: readonly TopicSpec[]): Promise<void> {
    const { wire } = this.#options;
    const create = async (spec: TopicSpec): Promise<void> => {
      try {
        await wire.create(spec);
        this.#refused.delete(spec.name);
      } catch (error) {
        this.#refused.set(spec.name, reasonOf(error));
      }
    };
    await within(Promise.all(specs.map(create)), CALL_MS, 'Creating topics');
  }

  /** Right after a topic was created, its leaders may not know yet that they are. */
  async #areReady(created: ReadonlySet<string>): Promise<boolean> {
    const { wire } = this.#options;
    const awaited = [...created].filter((name) => !this.#refused.has(name));
    if (awaited.some((name) => this.fault(name) !== null)) return false;
    const asked = Promise.all(awaited.map((name) => wire.ends(name))).then(
      () => true,
      () => false,
    );
    return within(asked, CALL_MS, 'Asking for the ends of topics');
  }

  /** Topics that were made by somebody else may have settings that do not suit. Named in the log once. */
  async #readSettings(): Promise<void> {
    const { wire, logger, specs } = this.#options;
    const now = performance.now();
    if (now < this.#settingsDueAt) return;
    this.#settingsDueAt = now + SETTINGS_MS;
    const names = specs.map(({ name }) => name).filter((name) => this.led(name).length > 0);
    const found = await within(wire.configs(names), CALL_MS, 'Asking for the settings of topics').catch(
      (error: unknown) => {
        // Not everybody may ask; then refused messages say what is wrong.
        logger.debug('The settings of topics are not known', { error });
        return new Map<string, ReadonlyMap<string, string>>();
      },
    );
    this.#refusing.clear();
    for (const [name, settings] of found) {
      const refusing = refusingSettings(settings);
      if (refusing !== null) this.#refusing.set(name, refusing);
      const wrong = wrongSettings(settings).join('; ');
      if (wrong === '' || this.#toldSettings.has(name)) continue;
      this.#toldSettings.add(name);
      logger.warn('A topic has settings with which messages are refused or lost', { topic: name, wrong });
    }
  }

  /** What is wrong with any of the topics. */
  #faults(): string | null {
    const faults = this.#options.specs.map(({ name }) => this.fault(name)).filter((fault) => fault !== null);
    if (faults.length === 0) return null;
    const more = faults.length - MAX_FAULTS;
    return [...faults.slice(0, MAX_FAULTS), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  }

  async #keep(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      try {
        await this.check();
        failures = 0;
        await this.#rest(this.#faults() === null ? IDLE_MS : PARTLY_MS);
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
