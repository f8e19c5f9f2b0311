import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { KAFKA_CLIENTS } from './options.ts';
import { ChatProcess } from './testing/chat.ts';
import { sharedKafka } from './testing/kafka.ts';
import { OwnBroker } from './testing/own-broker.ts';

const { broker, skipped } = await sharedKafka();
const LIMIT_MS = 300_000;
/** What `publish` promises, and room for a machine that does other things as well. */
const PUBLISH_MS = 5_000 * 1.5;

const newPrefix = (): string => `test-${randomUUID()}.`;

if (broker === null) {
  describe('the bus on a Kafka that fails', () => {
    test.skip(`goes on by itself (needs Docker: ${skipped ?? 'no reason given'})`, () => {});
  });
} else {
  describe.each(KAFKA_CLIENTS)('a process with the bus through %s', (client) => {
    const started: ChatProcess[] = [];
    const chatWith = (address: string, prefix = newPrefix()): ChatProcess => {
      const chat = new ChatProcess(client, address, prefix);
      started.push(chat);
      return chat;
    };
    afterEach(() => {
      for (const chat of started.splice(0)) chat.kill();
    });

    test(
      'says nothing on stderr, logs nothing while all is well, and ends by itself when the bus was stopped',
      async () => {
        const chat = chatWith(broker);
        await chat.untilWell();
        await chat.untilWell();
        expect(chat.last.log).toEqual([]);
        expect(await chat.stop()).toEqual({ code: 0, stderr: '' });
      },
      LIMIT_MS,
    );

    test(
      'takes over what another was listening to when that one is killed',
      async () => {
        const prefix = newPrefix();
        const [one, two] = [chatWith(broker, prefix), chatWith(broker, prefix)];
        await Promise.all([one.untilWell(), two.untilWell()]);
        one.kill();
        await two.untilWell();
        expect(await two.stop()).toEqual({ code: 0, stderr: '' });
      },
      LIMIT_MS,
    );

    test(
      'starts without Kafka, and ends without it',
      async () => {
        const chat = chatWith('127.0.0.1:1');
        const { trouble } = await chat.until(({ refused }) => refused > 3);
        expect(trouble).toContain('Kafka cannot be used');
        expect(chat.last.log).toEqual(['warn Kafka cannot be used; jobs go on through the store']);
        expect(await chat.stop()).toEqual({ code: 0, stderr: '' });
      },
      LIMIT_MS,
    );
  });

  describe('the bus on a Kafka that fails', () => {
    let own: OwnBroker;
    let chats: ChatProcess[];
    beforeAll(async () => {
      own = await OwnBroker.start();
      chats = KAFKA_CLIENTS.map((client) => new ChatProcess(client, own.broker, `${client}.`));
    }, LIMIT_MS);
    afterAll(async () => {
      for (const chat of chats) chat.kill();
      await own.remove();
    }, LIMIT_MS);

    const allWell = (): Promise<void[]> => Promise.all(chats.map((chat) => chat.untilWell()));
    const allInTrouble = (): Promise<unknown> =>
      Promise.all(chats.map((chat) => chat.until(({ trouble }) => trouble !== null)));

    test(
      'goes on by itself after the broker was killed and started again',
      async () => {
        await allWell();
        await own.kill();
        await allInTrouble();
        await own.restart();
        await allWell();
      },
      LIMIT_MS,
    );

    test(
      'goes on by itself after the broker stood still',
      async () => {
        await allWell();
        await own.pause();
        await allInTrouble();
        await own.unpause();
        await allWell();
      },
      LIMIT_MS,
    );

    test(
      'creates its topics again after the broker lost its data',
      async () => {
        await allWell();
        await own.wipe();
        await allWell();
      },
      LIMIT_MS,
    );

    test(
      'has kept nobody waiting, has nothing on stderr, and every trouble in its log came to an end',
      async () => {
        for (const chat of chats) {
          const { longestMs, log } = chat.last;
          expect(longestMs).toBeLessThan(PUBLISH_MS);
          const begun = log.filter((line) => line === 'warn bus subscription is interrupted').length;
          const ended = log.filter((line) => line === 'info bus subscription goes on').length;
          expect(ended).toBe(begun);
          expect(await chat.stop()).toEqual({ code: 0, stderr: '' });
        }
      },
      LIMIT_MS,
    );
  });
}
