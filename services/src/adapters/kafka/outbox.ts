import { setTimeout as sleep } from 'node:timers/promises';
import { BusUnavailableError } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import { settlesWithin } from '../../runtime/deadline.ts';
import { backoffMs } from '../../runtime/retry.ts';
import { reasonOf, within } from './within.ts';
import { TooLargeError, type Outgoing } from './wire.ts';

/** A message is taken, or refused, within this time; milliseconds. */
export const PUBLISH_MS = 5_000;
/** Messages that wait, at most. An id takes some hundred bytes. */
const MAX_WAITING = 100_000;
/** What goes out at once: well below the megabyte that a broker takes for one partition. */
const MAX_SEND_BYTES = 512 << 10;
const MAX_SEND_MESSAGES = 5_000;
/** After so long without a refusal, nobody knows whether messages would be refused now. */
const REFUSED_MS = 60_000;
/** What was too much at once is tried again after this time: somebody may have changed the topic. */
const SMALLER_MS = 60_000;
const RETRIES = { baseMs: 100, capMs: 1_000 };

export interface OutboxOptions {
  readonly produce: (messages: readonly Outgoing[]) => Promise<void>;
  /** The partitions of the topic that can be written to; none when it is not known to be there. */
  readonly partitions: () => readonly number[];
  /** Makes sure that the topic is there, after a failure. Rejects when Kafka cannot be used. */
  readonly repair: () => Promise<void>;
  readonly clock: Clock;
}

/** Messages of one call, or of a part of it, with one fate. */
interface Parcel {
  readonly values: readonly Buffer[];
  readonly bytes: number;
  readonly end: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Messages of one topic on their way out. What comes while a request is under way goes out with the next one, so many
 * small calls cost little, and a lonely one does not wait. Nobody waits longer than `PUBLISH_MS`.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #parcels: Parcel[] = [];
  #size = 0;
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #turn = Math.floor(Math.random() * 1_000);
  #reason: string | null = null;
  /** Since messages were taken last: why, and when, some were refused. */
  #refused: { readonly reason: string; readonly at: number } | null = null;
  /** Messages that the topic takes at once, as far as we know, and until when we think so. */
  #most = { messages: MAX_SEND_MESSAGES, until: Infinity };
  /** Parcels that go out one by one, since one of them cannot. */
  #apart = 0;
  readonly #stop = new AbortController();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Resolves when Kafka has the messages. Rejects with `BusUnavailableError`. */
  async publish(values: readonly Buffer[]): Promise<void> {
    if (this.#stop.signal.aborted) throw new BusUnavailableError('the bus is not started');
    if (this.#size + values.length > MAX_WAITING) {
      throw new BusUnavailableError(`${this.#size} messages wait for Kafka already`);
    }
    const parts = split(values);
    const done = Promise.all(parts.map((part) => this.#add(part)));
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
    await done;
  }

  /** Why messages are refused; null while they are taken, or when none were refused lately. */
  trouble(): string | null {
    const { clock } = this.#options;
    if (this.#refused && clock.monotonic() - this.#refused.at > REFUSED_MS) this.#refused = null;
    return this.#refused?.reason ?? null;
  }

  /** Takes nothing more; what waits goes out, or is refused when `now` or when its time is over. */
  async close(now: boolean): Promise<void> {
    if (now) this.#refuse(() => true, 'the bus stops');
    if (this.#sending) await settlesWithin(this.#sending, now ? 0 : PUBLISH_MS);
    this.#stop.abort();
    if (this.#timer) clearTimeout(this.#timer);
  }

  #add(values: readonly Buffer[]): Promise<void> {
    const end = this.#options.clock.monotonic() + PUBLISH_MS;
    const bytes = values.reduce((sum, { length }) => sum + length, 0);
    this.#size += values.length;
    return new Promise((resolve, reject) => {
      this.#parcels.push({ values, bytes, end, resolve, reject });
      this.#watch();
    });
  }

  /** Sends until nothing waits. */
  async #send(): Promise<void> {
    // One turn of the event loop, for what is published together.
    await new Promise((resolve) => setImmediate(resolve));
    let failures = 0;
    while (this.#parcels.length > 0) {
      const parcels = this.#next();
      try {
        await this.#attempt(parcels);
        failures = 0;
        this.#reason = null;
        this.#refused = null;
        this.#settle(parcels);
      } catch (error) {
        this.#reason = reasonOf(error);
        if (error instanceof TooLargeError) {
          this.#tooLarge(parcels);
          continue;
        }
        await this.#options.repair().catch(() => {});
        await this.#rest(backoffMs(failures++, RETRIES, Math.random));
      }
    }
  }

  async #attempt(parcels: readonly Parcel[]): Promise<void> {
    const { partitions, repair } = this.#options;
    if (partitions().length === 0) await repair();
    const led = partitions();
    if (led.length === 0) throw new Error('no partition has a leader');
    const messages: Outgoing[] = [];
    for (const { values } of parcels) {
      for (const value of values) {
        this.#turn = (this.#turn + 1) % led.length;
        messages.push({ partition: led[this.#turn]!, value });
      }
    }
    await this.#produce(messages);
  }

  /** All at once; in halves, and halves of those, when that is too much. */
  async #produce(messages: readonly Outgoing[]): Promise<void> {
    const { produce, clock } = this.#options;
    if (clock.monotonic() > this.#most.until) this.#most = { messages: MAX_SEND_MESSAGES, until: Infinity };
    for (let sent = 0; sent < messages.length;) {
      const part = messages.slice(sent, sent + this.#most.messages);
      try {
        await within(produce(part), PUBLISH_MS, 'Publishing');
        sent += part.length;
      } catch (error) {
        if (!(error instanceof TooLargeError) || part.length === 1) throw error;
        this.#most = { messages: Math.ceil(part.length / 2), until: clock.monotonic() + SMALLER_MS };
      }
    }
  }

  /** A single message is larger than the topic takes: it is refused at once, and does not hold up the others. */
  #tooLarge(parcels: readonly Parcel[]): void {
    if (parcels.length > 1) this.#apart = parcels.length;
    else this.#refuse((parcel) => parcel === parcels[0], `a message is too large: ${this.#reason}`);
  }

  /** The oldest parcels, as many as go out together. */
  #next(): Parcel[] {
    if (this.#apart > 0) {
      this.#apart--;
      return this.#parcels.slice(0, 1);
    }
    let bytes = 0;
    let messages = 0;
    let count = 0;
    for (const parcel of this.#parcels) {
      bytes += parcel.bytes;
      messages += parcel.values.length;
      if (count > 0 && (bytes > MAX_SEND_BYTES || messages > MAX_SEND_MESSAGES)) break;
      count++;
    }
    return this.#parcels.slice(0, count);
  }

  /** These are out. Some of them may have been refused meanwhile. */
  #settle(parcels: readonly Parcel[]): void {
    const out = new Set(parcels);
    this.#parcels = this.#parcels.filter((parcel) => {
      if (!out.has(parcel)) return true;
      this.#size -= parcel.values.length;
      parcel.resolve();
      return false;
    });
  }

  #refuse(which: (parcel: Parcel) => boolean, reason: string): void {
    this.#parcels = this.#parcels.filter((parcel) => {
      if (!which(parcel)) return true;
      this.#size -= parcel.values.length;
      this.#refused = { reason, at: this.#options.clock.monotonic() };
      parcel.reject(new BusUnavailableError(reason));
      return false;
    });
  }

  /** One timer for the oldest parcel is enough: all have the same time. */
  #watch(): void {
    const oldest = this.#parcels[0];
    if (this.#timer || !oldest) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        const now = this.#options.clock.monotonic();
        this.#refuse(
          ({ end }) => end <= now,
          `Kafka did not take the messages: ${this.#reason ?? 'no answer'}`,
        );
        this.#watch();
      },
      Math.max(1, oldest.end - this.#options.clock.monotonic()),
    );
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}

/** Parts that are small enough to go out at once. */
function split(values: readonly Buffer[]): Buffer[][] {
  const parts: Buffer[][] = [];
  let part: Buffer[] = [];
  let bytes = 0;
  for (const value of values) {
    if (part.length > 0 && (bytes + value.length > MAX_SEND_BYTES || part.length >= MAX_SEND_MESSAGES)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(value);
    bytes += value.length;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
