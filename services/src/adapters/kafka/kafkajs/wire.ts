import kafkajs, {
  type Admin,
  type ITopicMetadata,
  type Kafka,
  type Producer,
  type RecordMetadata,
} from 'kafkajs';
import type { Logger } from '../../../ports/logger.ts';
import { findBroker } from '../bootstrap.ts';
import { Lazy } from '../lazy.ts';
import type { KafkaConnection } from '../options.ts';
import { METADATA_MS, produceMs, REPLICAS_MS } from '../timing.ts';
import type { TopicSpec } from '../topic-specs.ts';
import {
  TooLargeError,
  type Outgoing,
  type Session,
  type SessionOptions,
  type TopicState,
  type Wire,
} from '../wire.ts';
import { within } from '../within.ts';
import { ConsumerSession } from './consumer-session.ts';
import { connected, createStart, type Connected, type Start } from './kafka.ts';

const TOO_LARGE: ReadonlySet<unknown> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** A topic that is not there, or not quite yet. */
const MISSING: ReadonlySet<unknown> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/** Kafka through kafkajs. Nothing is connected before it is needed. */
export function openKafkajs(options: KafkaConnection & { readonly logger: Logger }): Wire {
  return new KafkajsWire(async () => createStart(await findBroker(options), options.logger));
}

class KafkajsWire implements Wire {
  /** Begins at a broker that answers. */
  readonly #start: () => Promise<Start>;
  readonly #producer: Lazy<Connected<Producer>>;
  readonly #admin: Lazy<Connected<Admin>>;
  /** When the producer was made, or has published last. */
  #usedAt = performance.now();

  constructor(start: () => Promise<Start>) {
    this.#start = start;
    const lazily = <T extends Producer | Admin>(make: (kafka: Kafka) => T): Lazy<Connected<T>> =>
      new Lazy(
        async () => connected(await start(), make),
        ({ end }) => end(),
      );
    this.#producer = lazily((kafka) => {
      this.#usedAt = performance.now();
      return makeProducer(kafka);
    });
    this.#admin = lazily((kafka) => kafka.admin());
  }

  async produce(topic: string, messages: readonly Outgoing[]): Promise<void> {
    const producer = await this.#producer.get();
    try {
      const sending = producer.client.send({
        ...{ topic, acks: -1, timeout: REPLICAS_MS },
        messages: messages as Outgoing[],
      });
      mustHaveTaken(messages, await within(sending, produceMs(this.#usedAt), 'Publishing'));
      this.#usedAt = performance.now();
    } catch (error) {
      if (TOO_LARGE.has(typeOf(error))) throw new TooLargeError((error as Error).message, { cause: error });
      void this.#producer.drop(producer);
      throw error;
    }
  }

  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicState | Error>> {
    const { client } = await this.#admin.get();
    try {
      const { topics } = await client.fetchTopicMetadata({ topics: [...names] });
      return new Map(topics.map((topic) => [topic.name, stateOf(topic)]));
    } catch (error) {
      if (typeOf(error) === undefined) throw error;
    }
    // One of them is not there, or may not be described: the answer does not tell how the others are.
    const found = new Map<string, TopicState | Error>();
    for (const name of names) {
      try {
        const { topics } = await client.fetchTopicMetadata({ topics: [name] });
        found.set(name, stateOf(topics[0]!));
      } catch (error) {
        if (typeOf(error) === undefined) throw error;
        if (!MISSING.has(typeOf(error))) found.set(name, error as Error);
      }
    }
    return found;
  }

  async create({ name, partitions, replication, config }: TopicSpec): Promise<void> {
    const admin = await this.#admin.get();
    const topic = {
      topic: name,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    };
    try {
      // False, not an error, says that somebody else was first.
      await admin.client.createTopics({ waitForLeaders: false, topics: [topic] });
    } catch (error) {
      // It looks first for all topics that it was ever asked about, and fails where one of them was deleted.
      if (MISSING.has(typeOf(error))) await this.#admin.drop(admin);
      throw error;
    }
  }

  async configs(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const { client } = await this.#admin.get();
    const { resources } = await client.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
  }

  async ends(topic: string): Promise<ReadonlyMap<number, number>> {
    const { client } = await this.#admin.get();
    const offsets = await client.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  }

  async open(options: SessionOptions): Promise<Session> {
    const start = await this.#start();
    const forget = async (groupId: string): Promise<void> => {
      await (await this.#admin.get()).client.deleteGroups([groupId]);
    };
    return new ConsumerSession(start, forget, options);
  }

  async reset(): Promise<void> {
    await Promise.all([this.#producer.drop(), this.#admin.drop()]);
  }

  close(): Promise<void> {
    return this.reset();
  }
}

function makeProducer(kafka: Kafka): Producer {
  return kafka.producer({
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MS,
    // Every message says where it goes. kafkajs leaves out, without a word, what goes to a partition it does not know.
    createPartitioner:
      () =>
      ({ topic, message, partitionMetadata }) => {
        const known = partitionMetadata.some(
          ({ partitionId, leader }) => partitionId === message.partition && leader >= 0,
        );
        if (!known) throw new Error(`${topic}: partition ${message.partition} has no leader that is known`);
        return message.partition!;
      },
  });
}

/** A success that speaks of less than was asked for is none. */
function mustHaveTaken(messages: readonly Outgoing[], taken: readonly RecordMetadata[]): void {
  const partitions = new Set(taken.map(({ partition }) => partition));
  const missing = new Set(messages.map(({ partition }) => partition).filter((each) => !partitions.has(each)));
  if (missing.size > 0)
    throw new Error(`No broker has taken what is for the partitions ${[...missing].join()}`);
}

function stateOf({ partitions }: ITopicMetadata): TopicState {
  const led = partitions.filter(({ leader }) => leader >= 0).map(({ partitionId }) => partitionId);
  return { partitions: partitions.length, led: led.sort((a, b) => a - b) };
}

/** What the broker's answer is called in the protocol; undefined when the error is no answer of a broker. */
function typeOf(error: unknown): string | undefined {
  const { type, cause } = error as { readonly type?: string; readonly cause?: unknown };
  return type ?? (cause instanceof Error ? typeOf(cause) : undefined);
}
