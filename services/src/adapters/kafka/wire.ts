import type { TopicSpec } from './topic-specs.ts';

/** A topic as the brokers describe it. */
export interface TopicState {
  readonly partitions: number;
  /** The partitions that have a leader now, in ascending order: only these can be written to and read from. */
  readonly led: readonly number[];
}

/** More bytes at once than the topic takes (`max.message.bytes`). Fewer messages may do. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** A message on its way out. */
export interface Outgoing {
  readonly partition: number;
  readonly value: Buffer;
}

/** A message that has come in: where it stands, and the bytes, which may be anybody's. */
export interface Incoming {
  readonly offset: number;
  readonly value: Buffer | null;
}

/** Where a session puts what it fetches, and what it has to know and say. */
export interface Sink {
  /** The name that the group has given us. Whoever comes back under it is not taken for one more member. */
  memberId: string | null;
  /** Where to read on; undefined when only Kafka knows. */
  position(partition: number): number | undefined;
  /** These partitions are ours now, and no others. */
  assigned(partitions: readonly number[]): void;
  /** Reads on from there. What waits of the partition is dropped. */
  seek(partition: number, offset: number): void;
  /** Takes messages in the order of their offsets. Never more than one fetch of them between two waits for `room`. */
  put(partition: number, messages: readonly Incoming[]): void;
  /** False when there is no room after `ms`; true when there is, or nothing is wanted any more. */
  room(ms: number): Promise<boolean>;
  /** Kafka has answered a fetch. */
  polled(): void;
  /** Partitions may be taken away: now is the time to save how far we got. */
  rebalancing(): void;
  /** Says which topic this is. When it is not the one of before, positions are forgotten. */
  identify(topicId: string): void;
}

export interface SessionOptions {
  /** As Kafka knows them. */
  readonly topic: string;
  /** How many the topic has now. */
  readonly partitions: number;
  /** Null: every message of every partition. */
  readonly group: string | null;
  readonly sink: Sink;
}

/** A member of a group, or a reader of all partitions, as long as nothing goes wrong. It never repairs itself. */
export interface Session {
  /** Rejects with the reason when the session is no good any more. Never resolves. */
  readonly ended: Promise<never>;
  /** Saves where the group stands: the next offset by partition. */
  commit(offsets: ReadonlyMap<number, number>): Promise<void>;
  /** Leaves the group and closes the connections, also of a session that has ended. */
  close(): Promise<void>;
}

/**
 * What a Kafka client has to be able to do; the rest of the bus is shared. Calls may reject, or take their time: callers
 * have limits. None retries for long by itself.
 */
export interface Wire {
  /**
   * Resolves when all in-sync replicas have the messages. Rejects with `TooLargeError` when the topic does not take so much
   * at once. After other failures than a broker's answer to the messages, and when none comes in time, the
   * connections for producing are given up: the next call makes new ones.
   */
  produce(topic: string, messages: readonly Outgoing[]): Promise<void>;
  /** What each topic is like, or why the brokers do not say so. Topics that are not there are left out. */
  topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicState | Error>>;
  /** Creates a topic. Others may create the same one at this moment. */
  create(topic: TopicSpec): Promise<void>;
  /** The settings of each topic that may be read, by name. */
  configs(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>;
  /** The next offset of each partition that has a leader. */
  ends(topic: string): Promise<ReadonlyMap<number, number>>;
  /** Begins a session. Rejects when no broker answers; joining follows by itself. */
  open(options: SessionOptions): Promise<Session>;
  /** Drops the connections for producing and asking; the next call makes new ones. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
