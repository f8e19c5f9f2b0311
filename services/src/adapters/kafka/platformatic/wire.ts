import { Admin, findErrorBy, ListOffsetTimestamps, ProduceAcks, Producer } from '@platformatic/kafka';
import { settlesWithin } from '../../../runtime/deadline.ts';
import { findBroker } from '../bootstrap.ts';
import { Lazy } from '../lazy.ts';
import type { KafkaConnection } from '../options.ts';
import { DISCONNECT_MS, produceMs } from '../timing.ts';
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
import { clientOptions } from './client-options.ts';
import { GroupSession } from './group-session.ts';
import { toleratingPartialClusters } from './partial-clusters.ts';
import { ReaderSession } from './reader-session.ts';

/** Of a resource in a question for settings. Source: https://kafka.apache.org/43/design/protocol, "DescribeConfigs" */
const TOPIC_RESOURCE = 2;
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
/** A topic that is not there, or not quite yet. */
const MISSING = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];

/** Kafka through @platformatic/kafka. Nothing is connected before it is needed. */
export function openPlatformatic(connection: KafkaConnection): Wire {
  return new PlatformaticWire(connection);
}

class PlatformaticWire implements Wire {
  readonly #connection: KafkaConnection;
  readonly #producer: Lazy<Producer>;
  readonly #admin: Lazy<Admin>;
  /** When the producer was made, or has published last. */
  #usedAt = performance.now();

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    const options = async () => clientOptions(await findBroker(connection));
    this.#producer = new Lazy(
      async () => {
        const producer = new Producer(await options());
        this.#usedAt = performance.now();
        return toleratingPartialClusters(producer);
      },
      (producer) => settlesWithin(producer.close(), DISCONNECT_MS),
    );
    this.#admin = new Lazy(
      async () => toleratingPartialClusters(new Admin(await options())),
      (admin) => settlesWithin(admin.close(), DISCONNECT_MS),
    );
  }

  async produce(topic: string, messages: readonly Outgoing[]): Promise<void> {
    const producer = await this.#producer.get();
    try {
      const sending = producer.send({
        messages: messages.map(({ partition, value }) => ({ topic, partition, value })),
        acks: ProduceAcks.ALL,
      });
      await within(sending, produceMs(this.#usedAt), 'Publishing');
      this.#usedAt = performance.now();
    } catch (error) {
      if (isOneOf(error, TOO_LARGE)) throw new TooLargeError((error as Error).message, { cause: error });
      void this.#producer.drop(producer);
      throw error;
    }
  }

  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicState | Error>> {
    // That no broker answers is no fault of a topic.
    await this.#admin.get();
    try {
      return await this.#describe(names);
    } catch (error) {
      if (isNetwork(error)) throw error;
    }
    // One of them is not there, or may not be described: the answer does not tell how the others are.
    const found = new Map<string, TopicState | Error>();
    for (const name of names) {
      try {
        for (const [, state] of await this.#describe([name])) found.set(name, state);
      } catch (error) {
        if (isNetwork(error)) throw error;
        if (!isMissing(error)) found.set(name, error as Error);
      }
    }
    return found;
  }

  async #describe(names: readonly string[]): Promise<Map<string, TopicState>> {
    const admin = await this.#admin.get();
    const metadata = await admin.metadata({ topics: [...names], forceUpdate: true });
    const found = new Map<string, TopicState>();
    for (const [name, { partitions, partitionsCount }] of metadata.topics) {
      const led = [...partitions.keys()].filter((partition) => (partitions[partition]?.leader ?? -1) >= 0);
      found.set(name, { partitions: partitionsCount, led });
    }
    return found;
  }

  async create({ name, partitions, replication, config }: TopicSpec): Promise<void> {
    const admin = await this.#admin.get();
    const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    try {
      await admin.createTopics({ topics: [name], partitions, replicas: replication, configs });
    } catch (error) {
      if (!isOneOf(error, ['TOPIC_ALREADY_EXISTS'])) throw error;
    }
  }

  async configs(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const admin = await this.#admin.get();
    const described = await admin.describeConfigs({
      resources: topics.map((resourceName) => ({ resourceType: TOPIC_RESOURCE, resourceName })),
    });
    return new Map(
      described.map(({ resourceName, configs }) => [
        resourceName,
        new Map(configs.map(({ name, value }) => [name, value ?? ''])),
      ]),
    );
  }

  async ends(topic: string): Promise<ReadonlyMap<number, number>> {
    const { led } = (await this.#describe([topic])).get(topic) ?? { led: [] };
    if (led.length === 0) throw new Error(`${topic} is not there`);
    const admin = await this.#admin.get();
    const timestamp = ListOffsetTimestamps.LATEST;
    const partitions = led.map((partitionIndex) => ({ partitionIndex, timestamp }));
    const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return new Map(listed!.partitions.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]));
  }

  async open({ topic, group, sink }: SessionOptions): Promise<Session> {
    const connection = await findBroker(this.#connection);
    if (group === null) return new ReaderSession({ connection, topic, sink });
    return new GroupSession({ connection, topic, group, sink });
  }

  async reset(): Promise<void> {
    await Promise.all([this.#producer.drop(), this.#admin.drop()]);
  }

  close(): Promise<void> {
    return this.reset();
  }
}

function isNetwork(error: unknown): boolean {
  return isOneOf(error, ['PLT_KFK_NETWORK'], 'code');
}

/** The client itself says "Unknown topic" for what the broker calls `UNKNOWN_TOPIC_OR_PARTITION`. */
function isMissing(error: unknown): boolean {
  return isOneOf(error, MISSING) || (error instanceof Error && error.message.startsWith('Unknown topic '));
}

function isOneOf(error: unknown, values: readonly string[], property = 'apiId'): boolean {
  return values.some((value) => findErrorBy(error as Error, property, value) !== null);
}
