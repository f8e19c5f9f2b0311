import type { Admin, Kafka, Producer } from 'kafkajs';
import type { Logger } from '../../../ports/logger.ts';
import type { KafkaConnection } from '../options.ts';
import { REPLICAS_MS } from '../timing.ts';
import type { TopicSpec } from '../topic-specs.ts';
import type { Outgoing, Session, SessionOptions, Wire } from '../wire.ts';
import { ConsumerSession } from './consumer-session.ts';
import { createKafka } from './kafka.ts';

/** Kafka through kafkajs. Nothing is connected before it is needed. */
export function openKafkajs(options: KafkaConnection & { readonly logger: Logger }): Wire {
  return new KafkajsWire(createKafka(options, options.logger));
}

/** Something of kafkajs that has to be connected first. */
interface Connected<T> {
  readonly client: T;
  readonly ready: Promise<void>;
}

class KafkajsWire implements Wire {
  readonly #kafka: Kafka;
  #producer: Connected<Producer> | null = null;
  #admin: Connected<Admin> | null = null;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  async produce(topic: string, messages: readonly Outgoing[]): Promise<void> {
    const producer = await this.#producing();
    await producer.send({ topic, acks: -1, timeout: REPLICAS_MS, messages: messages as Outgoing[] });
  }

  async partitions(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const admin = await this.#asking();
    const there = new Set(await admin.listTopics());
    const wanted = topics.filter((topic) => there.has(topic));
    const found = new Map<string, number>();
    if (wanted.length === 0) return found;
    const metadata = await admin.fetchTopicMetadata({ topics: wanted });
    for (const { name, partitions } of metadata.topics) {
      if (partitions.every(({ leader }) => leader >= 0)) found.set(name, partitions.length);
    }
    return found;
  }

  async create(topics: readonly TopicSpec[]): Promise<void> {
    const admin = await this.#asking();
    // False, not an error, says that somebody else was first with one of them.
    await admin.createTopics({
      waitForLeaders: false,
      topics: topics.map(({ name, partitions, replication, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    });
  }

  async ends(topic: string): Promise<readonly number[]> {
    const admin = await this.#asking();
    const ends: number[] = [];
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) ends[partition] = Number(high);
    return ends;
  }

  open(options: SessionOptions): Session {
    const forget = async (groupId: string): Promise<void> => {
      await (await this.#asking()).deleteGroups([groupId]);
    };
    return new ConsumerSession(this.#kafka, forget, options);
  }

  async reset(): Promise<void> {
    const [producer, admin] = [this.#producer, this.#admin];
    this.#producer = null;
    this.#admin = null;
    await Promise.all([producer?.client.disconnect(), admin?.client.disconnect()]);
  }

  close(): Promise<void> {
    return this.reset();
  }

  async #producing(): Promise<Producer> {
    if (!this.#producer) {
      const client = this.#kafka.producer({
        allowAutoTopicCreation: false,
        // Every message says where it goes.
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
      });
      this.#producer = { client, ready: client.connect() };
    }
    await this.#producer.ready;
    return this.#producer.client;
  }

  async #asking(): Promise<Admin> {
    if (!this.#admin) {
      const client = this.#kafka.admin();
      this.#admin = { client, ready: client.connect() };
    }
    await this.#admin.ready;
    return this.#admin.client;
  }
}
