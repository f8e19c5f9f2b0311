import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscription } from '../../ports/bus.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { settlesWithin } from '../../runtime/deadline.ts';
import { backoffMs, retry } from '../../runtime/retry.ts';
import { Deliverer } from './deliverer.ts';
import { Inbox } from './inbox.ts';
import { OffsetSaver } from './offset-saver.ts';
import type { TopicKeeper } from './topic-keeper.ts';
import { reasonOf, within } from './within.ts';
import type { Session, Sink, Wire } from './wire.ts';

/** Leaving a group and closing connections; milliseconds. What takes longer is left to the broker's patience. */
const CLOSE_MS = 4_000;
/** Nothing heard for so long: the session is not what it seems, and is made anew. */
const SILENCE_MS = 20_000;
const WATCH_MS = 1_000;
/** Until a session is open: some broker has been found. */
const OPEN_MS = 20_000;
const SAVE_MS = 5_000;
/** A session that lasted so long was a good one. */
const GOOD_MS = 30_000;
const RETRIES = { baseMs: 200, capMs: 2_000 };
const LEAST_REST_MS = 50;
const ASKING = { budgetMs: 5_000, baseMs: 100, capMs: 500 };

export interface FeedOptions<M> {
  readonly wire: Wire;
  readonly topics: TopicKeeper;
  /** As Kafka knows them. */
  readonly topic: string;
  readonly group: string | null;
  readonly maxBatch: number;
  /** Null: no message; undefined: a message that is not for us. */
  readonly decode: (value: Buffer | null) => M | null | undefined;
  readonly handle: (messages: readonly M[], commit: () => Promise<void>) => Promise<void>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onBad: (partition: number, offset: number) => void;
  readonly onDelivered: (count: number) => void;
  /** A session came to an end that it should not have. */
  readonly onBroken: () => void;
  /** How long opening a session may take, in milliseconds. */
  readonly openMs?: number;
}

/** A subscription. Its sessions with Kafka come and go; what was fetched, and how far it is dealt with, stays. */
export class Feed<M> implements Subscription {
  readonly #options: FeedOptions<M>;
  readonly #inbox: Inbox<M>;
  readonly #deliverer: Deliverer<M>;
  readonly #saver: OffsetSaver;
  readonly #stop = new AbortController();
  #session: Session | null = null;
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #heardAt: number;
  /** What one session leaves to the next. */
  readonly #memory: { topicId: string | null; memberId: string | null } = { topicId: null, memberId: null };
  /** Why nothing is heard, and since when by the monotonic clock; null while we listen. */
  #interruption: { readonly reason: string; readonly since: number } | null = null;
  /** Whether Kafka could be used when this session began; whether the log says that we are interrupted. */
  #begun = false;
  #told = false;

  constructor(options: FeedOptions<M>) {
    const { decode, onBad, onDelivered, maxBatch, logger, handle, clock } = options;
    this.#options = options;
    this.#heardAt = clock.monotonic();
    const inbox = new Inbox(decode, onBad);
    this.#inbox = inbox;
    this.#saver = new OffsetSaver(inbox, async (offsets) => {
      if (!this.#session) throw new Error('There is no session');
      await within(this.#session.commit(offsets), SAVE_MS, 'Saving offsets');
    });
    const onCommit = (): void => this.#save();
    this.#deliverer = new Deliverer({ inbox, maxBatch, logger, handle, onCommit, onDelivered });
  }

  /** Without a group: fixes where we begin. Rejects when Kafka cannot say. Then goes on by itself. */
  async start(): Promise<void> {
    if (this.#options.group === null) {
      const { topics, wire, topic } = this.#options;
      // Right after its creation a topic's leaders may not know that they are.
      const ends = await retry(
        async (attempt) => {
          if (attempt > 0 || topics.led(topic).length === 0) await topics.check();
          return within(wire.ends(topic), ASKING.budgetMs, 'Asking for the ends of a topic');
        },
        { ...ASKING, signal: this.#stop.signal },
      );
      for (const [partition, end] of ends) this.#inbox.seek(partition, end);
    }
    this.#stop.signal.throwIfAborted();
    this.#running ??= this.#run();
  }

  pause(): void {
    this.#deliverer.pause();
  }

  resume(): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#deliverer.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#deliverer.close();
    this.#save();
    await this.#saver.close(CLOSE_MS);
    this.#stop.abort();
    await this.#running;
  }

  /** Only a group has something to save. */
  #save(): void {
    if (this.#options.group !== null) this.#saver.look();
  }

  /** Null when messages come; otherwise why not. */
  trouble(): string | null {
    if (this.#interruption === null) return null;
    const { topic, group, clock } = this.#options;
    const seconds = Math.round((clock.monotonic() - this.#interruption.since) / 1_000);
    const where = group === null ? topic : `${topic} (group ${group})`;
    return `${where} is not listened to for ${seconds} s: ${this.#interruption.reason}`;
  }

  /** One session after the other, until we are closed. */
  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      const begun = clock.monotonic();
      try {
        await this.#live();
      } catch (error) {
        if (clock.monotonic() - begun > GOOD_MS) failures = 0;
        this.#broken(error, failures);
      }
      await this.#endSession();
      await rest(LEAST_REST_MS + backoffMs(failures++, RETRIES, Math.random), signal);
    }
  }

  /** From the begin of a session to its end. Resolves when we are closed, rejects when the session breaks. */
  async #live(): Promise<void> {
    const { wire, topics, topic, group, clock, openMs = OPEN_MS } = this.#options;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, over.signal]);
    try {
      this.#begun = false;
      await Promise.race([topics.check(), aborted(signal)]);
      if (signal.aborted) return;
      if (topics.led(topic).length === 0) throw new Error(topics.fault(topic) ?? 'has no leader');
      this.#begun = true;
      this.#heardAt = clock.monotonic();
      const partitions = topics.led(topic).length;
      const opening = wire.open({ topic, group, partitions, sink: this.#sink(over.signal) });
      // One that is there too late is closed all the same.
      void opening.then((session) => (signal.aborted ? close(session) : undefined)).catch(() => {});
      const inTime = within(opening, openMs, 'Opening a session');
      const session = await Promise.race([inTime, aborted(signal)]);
      if (!session) return;
      this.#session = session;
      this.#save();
      await Promise.race([session.ended, this.#watch(signal)]);
    } finally {
      over.abort();
    }
  }

  /** Until it is over. Rejects when nothing has been heard for too long although we listened. */
  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await rest(WATCH_MS, signal);
      const now = this.#options.clock.monotonic();
      if (this.#deliverer.full) this.#heardAt = now;
      if (now - this.#heardAt > SILENCE_MS) throw new Error(`Nothing was heard for ${SILENCE_MS} ms`);
    }
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session) await close(session);
  }

  #broken(error: unknown, failures: number): void {
    const { logger, onBroken, clock } = this.#options;
    if (this.#stop.signal.aborted) return;
    onBroken();
    const since = this.#interruption?.since ?? clock.monotonic();
    this.#interruption = { reason: reasonOf(error), since };
    // That Kafka as a whole cannot be used is said once, and elsewhere.
    if (this.#told || !this.#begun) {
      logger.debug('bus subscription cannot go on yet', { error, failures });
      return;
    }
    this.#told = true;
    logger.warn('bus subscription is interrupted', { error });
  }

  #heard(): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#interruption = null;
    if (!this.#told) return;
    this.#told = false;
    this.#options.logger.info('bus subscription goes on');
  }

  /** Whatever a session says that is over changes nothing. */
  #sink(over: AbortSignal): Sink {
    const inbox = this.#inbox;
    const memory = this.#memory;
    return {
      get memberId() {
        return memory.memberId;
      },
      set memberId(memberId) {
        memory.memberId = memberId;
      },
      position: (partition) => inbox.position(partition),
      assigned: (partitions) => {
        if (!over.aborted) inbox.keep(partitions);
      },
      seek: (partition, offset) => {
        if (!over.aborted) inbox.seek(partition, offset);
      },
      put: (partition, messages) => {
        if (over.aborted) return;
        inbox.put(partition, messages);
        this.#deliverer.look();
      },
      room: (ms) => this.#deliverer.room(ms),
      polled: () => {
        if (!over.aborted) this.#heard();
      },
      rebalancing: () => this.#save(),
      identify: (topicId) => {
        if (over.aborted) return;
        if (memory.topicId !== null && memory.topicId !== topicId) inbox.keep([]);
        memory.topicId = topicId;
      },
    };
  }
}

/** What becomes of it is nobody's concern any more. */
async function close(session: Session): Promise<void> {
  await settlesWithin(session.close(), CLOSE_MS).catch(() => {});
}

/** Resolves when the signal says that it is over. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
