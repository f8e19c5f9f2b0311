import { randomUUID } from 'node:crypto';
import { describe, test } from '@jest/globals';
import { describeBus } from '../../ports/bus-conformance.ts';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { createKafkaBus } from './kafka-bus.ts';
import { KAFKA_CLIENTS } from './options.ts';
import { sharedKafka } from './testing/kafka.ts';

const { broker, skipped } = await sharedKafka();

if (broker === null) {
  describe('the bus on Kafka', () => {
    test.skip(`passes the suite (needs Docker: ${skipped ?? 'no reason given'})`, () => {});
  });
} else {
  for (const client of KAFKA_CLIENTS) {
    describeBus(`the bus on Kafka through ${client}`, async () => {
      const bus = createKafkaBus({
        client,
        brokers: [broker],
        clientId: 'test',
        topicPrefix: `test-${randomUUID()}.`,
        partitions: 4,
        replication: 1,
        logger: new RecordingLogger(),
      });
      await bus.start();
      // On a busy machine Kafka may take longer than `start` waits for it.
      while (bus.trouble() !== null) await new Promise((resolve) => setTimeout(resolve, 50));
      return { bus, close: () => bus.stop() };
    });
  }
}
