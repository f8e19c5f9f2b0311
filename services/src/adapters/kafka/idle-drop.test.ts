import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dispatch, TOPIC } from '../../ports/bus-conformance-kit.ts';
import type { Bus } from '../../ports/bus.ts';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { createKafkaBus } from './kafka-bus.ts';
import { KAFKA_CLIENTS } from './options.ts';
import { ForgetfulProxy } from './testing/forgetful-proxy.ts';
import { sharedKafka } from './testing/kafka.ts';
import { OwnBroker } from './testing/own-broker.ts';

const { skipped } = await sharedKafka();
const LIMIT_MS = 180_000;

/** How often publishing fails until it succeeds, five times at most. */
async function failures(bus: Bus): Promise<number> {
  for (let failed = 0; failed < 5; failed++) {
    try {
      await bus.publish(TOPIC, [dispatch(1)]);
      return failed;
    } catch {
      // Refused: the next attempt counts.
    }
  }
  return 5;
}

const name = 'publishes again after its idle connection was silently dropped';
if (skipped !== null) test.skip(`the bus ${name} (needs Docker: ${skipped})`, () => {});
else
  describe('the bus before a proxy that forgets connections', () => {
    const proxy = new ForgetfulProxy();
    let own: OwnBroker;
    beforeAll(async () => {
      const port = await proxy.start();
      own = await OwnBroker.start({ proxy: { port, toward: (target) => proxy.toward(target) } });
    }, LIMIT_MS);
    afterAll(async () => {
      await own.remove();
      await proxy.stop();
    }, LIMIT_MS);

    test.each(KAFKA_CLIENTS)(
      `${name}, through %s`,
      async (client) => {
        const bus = createKafkaBus({
          ...{ client, brokers: [own.broker], clientId: 'test', topicPrefix: `${client}.` },
          ...{ partitions: 4, replication: 1, logger: new RecordingLogger() },
        });
        await bus.start();
        expect(await failures(bus)).toBeLessThan(5);
        expect(proxy.forgetProducers()).toBeGreaterThan(0);
        // The first may be refused on a slow machine; what comes then goes over a new connection.
        expect(await failures(bus)).toBeLessThan(2);
        await bus.stop();
      },
      LIMIT_MS,
    );
  });
