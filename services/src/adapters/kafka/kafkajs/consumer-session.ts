import { randomUUID } from 'node:crypto';
import type { Batch, Consumer, EachBatchPayload } from 'kafkajs';
import { settlesWithin } from '../../../runtime/deadline.ts';
import { Ending } from '../ending.ts';
import {
  ANSWER_MS,
  bytesOfEach,
  FETCH_BYTES,
  FETCH_WAIT_MS,
  HEARTBEAT_MS,
  JOIN_MS,
  LEAVE_MS,
  METADATA_MS,
  REBALANCE_MS,
  SESSION_MS,
} from '../timing.ts';
import type { Incoming, Session, SessionOptions } from '../wire.ts';
import { within } from '../within.ts';
import type { Start } from './kafka.ts';

/** While there is no room, the group is told this often that we live. */
const ROOM_MS = 1_000;
/** Closing waits so long for a session that has just begun to join. */
const BEGUN_MS = 1_000;
/** Partitions of which messages are taken at the same time, so that a batch has something of each. */
const PARTITIONS_AT_ONCE = 16;
/** kafkajs finds its way through changes of the group by trying again; what is worse ends the session. */
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false };

/**
 * A consumer of kafkajs, which is always a member of a group. Who wants every message gets a group of his own, which is
 * deleted at the end (the broker forgets the group of a dead process by itself, since it holds no offsets).
 */
export class ConsumerSession extends Ending implements Session {
  readonly #options: SessionOptions;
  readonly #start: Start;
  readonly #consumer: Consumer;
  readonly #ownGroup: string | null;
  readonly #forget: (groupId: string) => Promise<void>;
  #closing: Promise<void> | null = null;
  #begun: Promise<void>;

  constructor(start: Start, forget: (groupId: string) => Promise<void>, options: SessionOptions) {
    super();
    this.#start = start;
    this.#options = options;
    this.#forget = forget;
    this.#ownGroup = options.group === null ? `${options.topic}.${randomUUID()}` : null;
    this.#consumer = start.kafka.consumer({
      groupId: options.group ?? this.#ownGroup!,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: bytesOfEach(options.partitions),
      metadataMaxAge: METADATA_MS,
      readUncommitted: true,
      allowAutoTopicCreation: false,
      retry: RETRY,
    });
    this.#listen();
    this.#begun = within(this.#begin(), JOIN_MS, 'Joining the group').catch(this.fail);
  }

  #listen(): void {
    const { topic, sink } = this.#options;
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#assigned(payload.memberAssignment[topic] ?? []);
    });
    this.#consumer.on(events.REBALANCING, () => sink.rebalancing());
    this.#consumer.on(events.FETCH, () => sink.polled());
    this.#consumer.on(events.CRASH, ({ payload }) => this.fail(payload.error));
    // After a crash it disconnects first and gives the reason then.
    this.#consumer.on(events.DISCONNECT, () => {
      setImmediate(() => this.fail(new Error('kafkajs has disconnected')));
    });
  }

  async #begin(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic: this.#options.topic, fromBeginning: true });
    if (this.#closing) return;
    await this.#consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => this.#take(payload),
    });
  }

  /** Called before the first fetch of a new membership: kafkajs would begin again where the group was saved last. */
  #assigned(partitions: readonly number[]): void {
    const { topic, sink } = this.#options;
    sink.assigned(partitions);
    for (const partition of partitions) {
      const position = sink.position(partition);
      if (position !== undefined) this.#consumer.seek({ topic, partition, offset: String(position) });
    }
  }

  /** kafkajs fetches no more until what it gave us has been taken, which is how we keep it waiting. */
  async #take(payload: EachBatchPayload): Promise<void> {
    const { sink } = this.#options;
    if (this.#isClosing()) return;
    sink.put(payload.batch.partition, messagesOf(payload.batch));
    while (!(await sink.room(ROOM_MS)) && payload.isRunning() && !this.#isClosing()) {
      // Throws when the group changes; then kafkajs joins again.
      await within(payload.heartbeat(), ANSWER_MS, 'Telling the group that we live');
    }
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { topic } = this.#options;
    const list = [...offsets].map(([partition, offset]) => ({ topic, partition, offset: String(offset) }));
    await this.#consumer.commitOffsets(list);
  }

  #isClosing(): boolean {
    return this.#closing !== null;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // One that cannot join is not waited for: its connections are cut.
    await settlesWithin(this.#begun, BEGUN_MS);
    await this.#start.end(this.#consumer, LEAVE_MS);
    if (this.#ownGroup !== null) await this.#forget(this.#ownGroup).catch(() => {});
  }
}

function messagesOf({ messages }: Batch): Incoming[] {
  return messages.map(({ offset, value }) => ({ offset: Number(offset), value }));
}
