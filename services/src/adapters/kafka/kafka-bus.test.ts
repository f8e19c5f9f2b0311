import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { Collector, dispatch, dispatches, TOPIC } from '../../ports/bus-conformance-kit.ts';
import { describeDatabases } from '../../ports/bus-conformance-databases.ts';
import { describeBus } from '../../ports/bus-conformance.ts';
import type { Bus } from '../../ports/bus.ts';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { createKafkaBus } from './kafka-bus.ts';
import { createKafka } from './kafkajs/kafka.ts';
import { KAFKA_CLIENTS, type KafkaClientName } from './options.ts';
import { sharedKafka } from './testing/kafka.ts';
import { startUnusable } from './testing/unusable.ts';

const { broker, skipped } = await sharedKafka();
const LIMIT_MS = 120_000;
const PARTITIONS = 4;

const newPrefix = (): string => `test-${randomUUID()}.`;

async function open(
  client: KafkaClientName,
  topicPrefix: string,
  logger = new RecordingLogger(),
  { brokers = [broker!], untilWell = true, databaseId = null as string | null } = {},
): Promise<Bus> {
  const bus = createKafkaBus({
    client,
    brokers,
    clientId: 'test',
    topicPrefix,
    partitions: PARTITIONS,
    replication: 1,
    databaseId: () => databaseId,
    logger,
  });
  await bus.start();
  if (!untilWell) return bus;
  // On a busy machine Kafka may take longer than `start` waits for it.
  while (bus.trouble() !== null) await new Promise((resolve) => setTimeout(resolve, 50));
  return bus;
}

/** Asks the broker itself. */
async function asking<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = createKafka({ brokers: [broker!], clientId: 'asking' }, new RecordingLogger()).admin();
  await admin.connect();
  try {
    return await question(admin);
  } finally {
    await admin.disconnect();
  }
}

async function groupsOf(prefix: string): Promise<string[]> {
  const { groups } = await asking((admin) => admin.listGroups());
  return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(prefix));
}

if (broker === null) {
  describe('the bus on Kafka', () => {
    test.skip(`passes the suite (needs Docker: ${skipped ?? 'no reason given'})`, () => {});
  });
} else {
  for (const client of KAFKA_CLIENTS) {
    describeBus(`the bus on Kafka through ${client}`, async () => {
      const bus = await open(client, newPrefix());
      return { bus, close: () => bus.stop() };
    });

    const prefix = newPrefix();
    describeDatabases(`buses on one Kafka through ${client}`, async (place, databaseId) => {
      const bus = await open(client, `${prefix}${place}.`, new RecordingLogger(), { databaseId });
      return { bus, close: () => bus.stop() };
    });
  }

  describe.each(KAFKA_CLIENTS)('the bus on Kafka through %s, by itself', (client) => {
    test(
      'skips what is no message, counts it, and says so once',
      async () => {
        const [prefix, logger] = [newPrefix(), new RecordingLogger()];
        const bus = await open(client, prefix, logger);
        const got = new Collector();
        await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, got.handler());
        const topic = `${prefix}${TOPIC}`;
        const foreign = ['', '{', '{"id":1}', '\u0000'].map((value, partition) => ({ partition, value }));
        await produce(topic, [...foreign, { partition: 0, value: null }]);
        await bus.publish(TOPIC, dispatches(20));
        await got.untilDistinct(20);
        expect(got.costs.toSorted((a, b) => a - b)).toEqual(dispatches(20).map(({ cost }) => cost));
        expect(logger.lines).toEqual(['warn bus skips what is no message']);
        await bus.stop();
      },
      LIMIT_MS,
    );

    test(
      'starts ten times at once, and makes each topic once, as it should be',
      async () => {
        const [prefix, logger] = [newPrefix(), new RecordingLogger()];
        const buses = await Promise.all(Array.from({ length: 10 }, () => open(client, prefix, logger)));
        const topic = `${prefix}${TOPIC}`;
        const config = await asking((admin) =>
          admin.describeConfigs({
            includeSynonyms: false,
            resources: [
              {
                type: kafkajs.ConfigResourceTypes.TOPIC,
                name: topic,
                configNames: ['retention.ms', 'min.insync.replicas'],
              },
            ],
          }),
        );
        const entries = config.resources[0]!.configEntries.map(({ configName, configValue }) => [
          configName,
          configValue,
        ]);
        expect(Object.fromEntries(entries)).toEqual({
          'retention.ms': '3600000',
          'min.insync.replicas': '1',
        });
        const { topics } = await asking((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
        expect(topics[0]!.partitions).toHaveLength(PARTITIONS);
        await Promise.all(buses.map((bus) => bus.stop()));
        expect(logger.lines).toEqual([]);
      },
      LIMIT_MS,
    );

    test(
      'works when all brokers of the list but one refuse, hang, close, do not resolve or are none',
      async () => {
        const unusable = await startUnusable();
        const brokers = [...Object.values(unusable.addresses), broker];
        const bus = await open(client, newPrefix(), new RecordingLogger(), { brokers });
        const [grouped, all] = [new Collector(), new Collector()];
        await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, grouped.handler());
        await bus.subscribe(TOPIC, { group: null, maxBatch: 10 }, all.handler());
        await bus.publish(TOPIC, dispatches(20));
        await Promise.all([grouped.untilDistinct(20), all.untilDistinct(20)]);
        await bus.stop();
        await unusable.close();
      },
      LIMIT_MS,
    );

    test(
      'goes on with partitions that are added to a live topic, and loses nothing',
      async () => {
        const prefix = newPrefix();
        const bus = await open(client, prefix);
        const [grouped, all] = [new Collector(), new Collector()];
        await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, grouped.handler());
        await bus.subscribe(TOPIC, { group: null, maxBatch: 10 }, all.handler());
        await bus.publish(TOPIC, dispatches(20));
        await Promise.all([grouped.untilDistinct(20), all.untilDistinct(20)]);
        const topic = `${prefix}${TOPIC}`;
        const count = PARTITIONS * 2;
        await asking((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
        // What is published is heard, whether or not the new partitions are known yet; and soon all of them are used.
        let published = 20;
        const ends = async (): Promise<number[]> => {
          // A partition that has just been made may have no leader yet.
          const offsets = await asking((admin) => admin.fetchTopicOffsets(topic)).catch((error: unknown) => {
            if ((error as { readonly retriable?: boolean }).retriable === true) return [];
            throw error;
          });
          return offsets.map(({ high }) => Number(high));
        };
        do {
          await bus.publish(TOPIC, dispatches(count, published + 1));
          published += count;
        } while ((await ends()).filter((end) => end > 0).length < count);
        await Promise.all([grouped.untilDistinct(published), all.untilDistinct(published)]);
        await bus.stop();
      },
      LIMIT_MS,
    );

    test(
      'sends a batch in parts where a topic takes little at once, and says why a compacted topic takes nothing',
      async () => {
        const [prefix, logger] = [newPrefix(), new RecordingLogger()];
        const topic = (name: string, config: string, value: string) => ({
          topic: `${prefix}${name}`,
          configEntries: [{ name: config, value }],
        });
        const topics = [
          topic(TOPIC, 'max.message.bytes', '1000'),
          topic('control', 'cleanup.policy', 'compact'),
        ];
        await asking((admin) => admin.createTopics({ topics, waitForLeaders: true }));
        const bus = await open(client, prefix, logger, { untilWell: false });
        const got = new Collector();
        await bus.subscribe(TOPIC, { group: 'g', maxBatch: 100 }, got.handler());
        await bus.publish(TOPIC, dispatches(400));
        await got.untilDistinct(400);
        const refused = bus.publish('control', [{ kind: 'cancel', id: dispatch(1).id }]);
        await expect(refused).rejects.toThrow(/control|Kafka did not take/);
        expect(bus.trouble()).toMatch(/control: .*cleanup\.policy=compact/);
        const warned = logger.lines.filter((line) => line.startsWith('warn A topic has settings'));
        expect(warned).toHaveLength(2);
        await bus.stop();
      },
      LIMIT_MS,
    );

    test(
      'leaves no group behind for who listened to everything',
      async () => {
        const prefix = newPrefix();
        const bus = await open(client, prefix);
        const got = new Collector();
        await bus.subscribe(TOPIC, { group: null, maxBatch: 10 }, got.handler());
        await bus.publish(TOPIC, [dispatch(1)]);
        await got.untilDistinct(1);
        await bus.stop();
        expect(await groupsOf(prefix)).toEqual([]);
      },
      LIMIT_MS,
    );

    test(
      'goes on in a topic that was deleted and made again',
      async () => {
        const prefix = newPrefix();
        const bus = await open(client, prefix);
        const [grouped, all] = [new Collector(), new Collector()];
        await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, grouped.handler());
        await bus.subscribe(TOPIC, { group: null, maxBatch: 10 }, all.handler());
        await bus.publish(TOPIC, dispatches(50));
        await Promise.all([grouped.untilDistinct(50), all.untilDistinct(50)]);
        await asking((admin) => admin.deleteTopics({ topics: [`${prefix}${TOPIC}`] }));
        const later = dispatches(20, 1_000);
        const heard = (got: Collector): boolean => later.every(({ cost }) => got.distinct.includes(cost));
        const until = Promise.all([grouped, all].map((got) => got.until(() => heard(got))));
        await bus.publish(TOPIC, later);
        await until;
        await bus.stop();
      },
      LIMIT_MS,
    );
  });
}

async function produce(
  topic: string,
  messages: readonly { readonly partition: number; readonly value: string | null }[],
): Promise<void> {
  const kafka = createKafka({ brokers: [broker!], clientId: 'foreign' }, new RecordingLogger());
  const producer = kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  await producer.connect();
  await producer.send({ topic, messages: [...messages] });
  await producer.disconnect();
}
