import { describe, expect, test } from '@jest/globals';
import { docker, dockerTrouble } from './docker.ts';
import { KAFKA_DATA } from './kafka-properties.ts';
import { KafkaServer, kafkaAnswers } from './kafka-server.ts';

const LIMIT_MS = 240_000;
const where = (await dockerTrouble()) === null ? describe : describe.skip;
const MARK = `${KAFKA_DATA}/mark`;

where('a Kafka broker', () => {
  test(
    'keeps its data when it is killed, loses them when it is wiped, and answers again (needs Docker)',
    async () => {
      const kafka = await KafkaServer.start({ name: 'kafka-server' });
      try {
        const [name = ''] = kafka.containers;
        const isMarked = () => docker(['exec', name, 'ls', MARK]).then(Boolean, () => false);
        await docker(['exec', name, 'touch', MARK]);
        await kafka.kill();
        await kafka.kill();
        expect(await kafkaAnswers(kafka.port)).toBe(false);
        await kafka.start();
        expect(await isMarked()).toBe(true);
        await kafka.wipe();
        expect(await kafkaAnswers(kafka.port)).toBe(true);
        expect(await isMarked()).toBe(false);
      } finally {
        await kafka.close();
      }
      await kafka.close();
    },
    LIMIT_MS,
  );
});
