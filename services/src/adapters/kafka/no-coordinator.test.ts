import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KAFKA_CLIENTS } from './options.ts';
import { ChatProcess } from './testing/chat.ts';
import { sharedKafka } from './testing/kafka.ts';
import { OwnBroker } from './testing/own-broker.ts';

const { skipped } = await sharedKafka();
const suite = skipped === null ? describe : describe.skip;
const LIMIT_MS = 180_000;

suite(
  `the bus on a Kafka whose groups have no coordinator${skipped === null ? '' : ' (needs Docker)'}`,
  () => {
    let own: OwnBroker;
    beforeAll(async () => {
      own = await OwnBroker.start({ withoutCoordinator: true });
    }, LIMIT_MS);
    afterAll(() => own.remove(), LIMIT_MS);

    test.each(KAFKA_CLIENTS)(
      'publishes through %s, and says which group is not served, why and for how long',
      async (client) => {
        const chat = new ChatProcess(client, own.broker, `${client}.`);
        const group = `${client}.chatter.jobs.1.${client}`;
        const lasting = new RegExp(
          `^${client}.jobs.1 \\(group ${group}\\) is not listened to for [1-9]\\d* s: .*coordinator is not available`,
        );
        const { published, grouped } = await chat.until(({ trouble }) => lasting.test(trouble ?? ''));
        expect(grouped).toBe(0);
        await chat.until((later) => later.published > published);
        // Without a group, platformatic needs no coordinator.
        if (client === 'platformatic') await chat.until(({ all }) => all > published);
        expect(await chat.stop()).toEqual({ code: 0, stderr: '' });
      },
      LIMIT_MS,
    );
  },
);
