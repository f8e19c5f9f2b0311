import { setTimeout as sleep } from 'node:timers/promises';
import {
  Consumer,
  FetchIsolationLevels,
  ListOffsetTimestamps,
  type ClusterTopicMetadata,
} from '@platformatic/kafka';
import { settlesWithin } from '../../../runtime/deadline.ts';
import type { KafkaConnection } from '../options.ts';
import { ANSWER_MS, bytesOfEach, DISCONNECT_MS, FETCH_BYTES, FETCH_WAIT_MS } from '../timing.ts';
import type { Incoming, Sink } from '../wire.ts';
import { within } from '../within.ts';
import { clientOptions } from './client-options.ts';
import { toleratingPartialClusters } from './partial-clusters.ts';

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;
type Batches = FetchResponse['responses'][number]['partitions'][number]['records'];

/** Between two looks at who leads which partition. */
const LOOK_MS = 500;
/** How long a subscription that is full is left alone at a time. */
const ROOM_MS = 1_000;

/** Error codes in the answer to a fetch. Source: https://kafka.apache.org/43/design/protocol, "Error Codes" */
const OFFSET_OUT_OF_RANGE = 1;
/** Somebody else leads the partition by now, or nobody does. */
const MOVED: ReadonlySet<number> = new Set([5, 6, 9, 74, 75, 78]);
/** The broker has forgotten what it was asked before. The next request says everything again. */
const SESSION_LOST: ReadonlySet<number> = new Set([70, 71, 106]);

export interface ReaderOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly sink: Sink;
  /** Whether having nothing to read is as it should be. Asked now and then; throws when we should not be reading at all. */
  readonly check: () => boolean;
  readonly fail: (error: unknown) => void;
}

/**
 * Reads the partitions that it is told to, from where the sink says, with a request to each broker at a time. Not a
 * member of any group. Ends at the first fault that is not in the nature of things.
 */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #consumer: Consumer;
  readonly #stop = new AbortController();
  /** The brokers that are being asked. */
  readonly #asked = new Set<number>();
  #assigned: readonly number[] = [];
  /** Of two assignments that overlap the later one holds. */
  #turn = 0;
  #topicId: string | null = null;
  #count = 0;
  #fetches = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    // The client wants a group's name, also where there is no group.
    const consumer = new Consumer({ ...clientOptions(options.connection), groupId: 'none' });
    this.#consumer = toleratingPartialClusters(consumer);
    this.#consumer.on('error', options.fail);
    this.#consumer.topics.track(options.topic);
  }

  /** Looks at the topic. Resolves with the number of its partitions. */
  async begin(): Promise<number> {
    const { id, partitionsCount } = await this.#look();
    this.#topicId = id;
    this.#count = partitionsCount;
    this.#options.sink.identify(id);
    void this.#mind();
    return partitionsCount;
  }

  /**
   * Reads these partitions from now on, and no others. Where the group is known to be ahead of us, we follow it. Those of
   * which nothing is known begin with the oldest message.
   */
  async assign(partitions: readonly number[], known: ReadonlyMap<number, number>): Promise<void> {
    const { sink } = this.#options;
    const turn = ++this.#turn;
    this.#assigned = [];
    sink.assigned(partitions);
    for (const [partition, offset] of known) {
      if (offset > (sink.position(partition) ?? -1)) sink.seek(partition, offset);
    }
    await this.#rewindUnknown(partitions);
    if (turn !== this.#turn) return;
    this.#assigned = partitions;
    await this.#ask();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await settlesWithin(this.#consumer.close(true), DISCONNECT_MS);
  }

  async #look(): Promise<ClusterTopicMetadata> {
    const { topic } = this.#options;
    const asked = this.#consumer.metadata({ topics: [topic] });
    const found = (await within(asked, ANSWER_MS, 'Asking who leads what')).topics.get(topic);
    if (!found) throw new Error(`${topic} is not there`);
    return found;
  }

  /** What has no leader just now begins when it has one. */
  async #rewindUnknown(partitions: readonly number[]): Promise<void> {
    const unknown = partitions.filter((partition) => this.#options.sink.position(partition) === undefined);
    if (unknown.length === 0) return;
    const leaders = (await this.#look()).partitions;
    await this.#rewind(unknown.filter((partition) => (leaders[partition]?.leader ?? -1) >= 0));
  }

  /** To the oldest message that is there. */
  async #rewind(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return;
    const { topic, sink } = this.#options;
    const options = { topics: [topic], partitions: { [topic]: [...partitions] } };
    const asked = this.#consumer.listOffsets({ ...options, timestamp: ListOffsetTimestamps.EARLIEST });
    const offsets = await within(asked, ANSWER_MS, 'Asking for the oldest messages');
    for (const partition of partitions) sink.seek(partition, Number(offsets.get(topic)![partition]));
  }

  /** Sees to it that every broker that leads something of ours is asked, wherever that moves. */
  async #mind(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        const content = this.#options.check();
        // With nothing to read there is nothing to hear.
        if (content && this.#assigned.length === 0) this.#options.sink.polled();
        await this.#ask();
        await this.#rest(LOOK_MS);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #ask(): Promise<void> {
    const { id, partitions, partitionsCount } = await this.#look();
    if (id !== this.#topicId || partitionsCount !== this.#count)
      throw new Error('The topic is another one now');
    const turn = this.#turn;
    const assigned = this.#assigned;
    await this.#rewindUnknown(assigned);
    if (turn !== this.#turn) return;
    for (const partition of assigned) {
      const leader = partitions[partition]?.leader ?? -1;
      if (leader < 0 || this.#asked.has(leader)) continue;
      this.#asked.add(leader);
      void this.#askOne(leader);
    }
  }

  /** Asks one broker, again and again, as long as it leads something. */
  async #askOne(node: number): Promise<void> {
    const { sink } = this.#options;
    try {
      while (!this.#stop.signal.aborted) {
        if (!(await sink.room(ROOM_MS))) continue;
        const { partitions } = await this.#look();
        const led = this.#assigned.filter(
          (partition) => partitions[partition]?.leader === node && sink.position(partition) !== undefined,
        );
        if (led.length === 0) break;
        await this.#fetch(node, led);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#asked.delete(node);
  }

  async #fetch(node: number, led: readonly number[]): Promise<void> {
    const { sink } = this.#options;
    const from = new Map(led.map((partition) => [partition, sink.position(partition)!]));
    // The broker fills its answer in this order.
    const first = this.#fetches++ % led.length;
    const partitions = [...led.slice(first), ...led.slice(0, first)].map((partition) => ({
      partition,
      fetchOffset: BigInt(from.get(partition)!),
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: bytesOfEach(led.length),
    }));
    const asked = this.#consumer.fetch({
      node,
      topics: [{ topicId: this.#topicId!, partitions }],
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED,
    });
    const response = await within(asked, ANSWER_MS, 'Fetching messages').catch(answerIn);
    if (this.#stop.signal.aborted) return;
    await this.#take(response, from);
    sink.polled();
  }

  async #take(response: FetchResponse, from: ReadonlyMap<number, number>): Promise<void> {
    if (response.errorCode !== 0) {
      if (!SESSION_LOST.has(response.errorCode))
        throw new Error(`Kafka answers with error ${response.errorCode}`);
      return;
    }
    const { sink } = this.#options;
    for (const { partitions } of response.responses) {
      for (const { partitionIndex, errorCode, records } of partitions) {
        const position = from.get(partitionIndex);
        // What was assigned anew, or taken away, while we asked.
        if (position === undefined || sink.position(partitionIndex) !== position) continue;
        if (errorCode === OFFSET_OUT_OF_RANGE) await this.#rewind([partitionIndex]);
        else if (MOVED.has(errorCode)) await this.#moved();
        else if (errorCode !== 0) throw new Error(`Kafka answers with error ${errorCode}`);
        else sink.put(partitionIndex, messagesOf(records, position));
      }
    }
  }

  async #moved(): Promise<void> {
    this.#consumer.clearMetadata();
    await this.#rest(LOOK_MS / 5);
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #fail(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#options.fail(error);
  }
}

/** An answer with errors in it is thrown by the client; it says partition by partition what is wrong. */
function answerIn(error: unknown): FetchResponse {
  const { response } = error as { response?: FetchResponse };
  if (response) return response;
  throw error;
}

/** A batch may begin before the offset that was asked for. */
function messagesOf(batches: Batches, position: number): Incoming[] {
  const messages: Incoming[] = [];
  for (const { firstOffset, records } of batches ?? []) {
    const first = Number(firstOffset);
    for (const { offsetDelta, value } of records) {
      const offset = first + offsetDelta;
      if (offset >= position) messages.push({ offset, value });
    }
  }
  return messages;
}
