import { Admin, findErrorBy, ListOffsetTimestamps, ProduceAcks, Producer } from '@platformatic/kafka';
import type { KafkaConnection } from '../options.ts';
import type { TopicSpec } from '../topic-specs.ts';
import type { Outgoing, Session, SessionOptions, Wire } from '../wire.ts';
import { clientOptions } from './client-options.ts';
import { GroupSession } from './group-session.ts';
import { ReaderSession } from './reader-session.ts';

/** Kafka through @platformatic/kafka. Nothing is connected before it is needed. */
export function openPlatformatic(connection: KafkaConnection): Wire {
  return new PlatformaticWire(connection);
}

class PlatformaticWire implements Wire {
  readonly #connection: KafkaConnection;
  #producer: Producer | null = null;
  #admin: Admin | null = null;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  async produce(topic: string, messages: readonly Outgoing[]): Promise<void> {
    this.#producer ??= new Producer(clientOptions(this.#connection));
    await this.#producer.send({
      messages: messages.map(({ partition, value }) => ({ topic, partition, value })),
      acks: ProduceAcks.ALL,
    });
  }

  async partitions(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    try {
      return await this.#partitions(topics);
    } catch (error) {
      if (isNetwork(error)) throw error;
    }
    // One of them is not there, or not ready: the answer does not tell how the others are.
    const found = new Map<string, number>();
    for (const topic of topics) {
      const one = await this.#partitions([topic]).catch((error: unknown) => {
        if (isNetwork(error)) throw error;
        return new Map<string, number>();
      });
      for (const [name, count] of one) found.set(name, count);
    }
    return found;
  }

  async #partitions(topics: readonly string[]): Promise<Map<string, number>> {
    const metadata = await this.#asking().metadata({ topics: [...topics], forceUpdate: true });
    const found = new Map<string, number>();
    for (const [name, { partitions, partitionsCount }] of metadata.topics) {
      if (partitions.every(({ leader }) => leader >= 0)) found.set(name, partitionsCount);
    }
    return found;
  }

  async create(topics: readonly TopicSpec[]): Promise<void> {
    await Promise.all(topics.map((topic) => this.#create(topic)));
  }

  async #create({ name, partitions, replication, config }: TopicSpec): Promise<void> {
    const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    try {
      await this.#asking().createTopics({ topics: [name], partitions, replicas: replication, configs });
    } catch (error) {
      if (!findErrorBy(error as Error, 'apiId', 'TOPIC_ALREADY_EXISTS')) throw error;
    }
  }

  async ends(topic: string): Promise<readonly number[]> {
    const count = (await this.#partitions([topic])).get(topic) ?? 0;
    if (count === 0) throw new Error(`${topic} is not there`);
    const timestamp = ListOffsetTimestamps.LATEST;
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
    const [listed] = await this.#asking().listOffsets({ topics: [{ name: topic, partitions }] });
    const ends = new Array<number>(count);
    for (const { partitionIndex, offset } of listed!.partitions) ends[partitionIndex] = Number(offset);
    return ends;
  }

  open({ topic, group, sink }: SessionOptions): Session {
    const connection = this.#connection;
    if (group === null) return new ReaderSession({ connection, topic, sink });
    return new GroupSession({ connection, topic, group, sink });
  }

  async reset(): Promise<void> {
    const [producer, admin] = [this.#producer, this.#admin];
    this.#producer = null;
    this.#admin = null;
    await Promise.all([producer?.close(), admin?.close()]);
  }

  close(): Promise<void> {
    return this.reset();
  }

  #asking(): Admin {
    this.#admin ??= new Admin(clientOptions(this.#connection));
    return this.#admin;
  }
}

function isNetwork(error: unknown): boolean {
  return findErrorBy(error as Error, 'code', 'PLT_KFK_NETWORK') !== null;
}
