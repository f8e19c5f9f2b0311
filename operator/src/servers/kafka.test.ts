import { expect, test } from '@jest/globals';
import { KafkaServers } from './kafka.ts';

test('brokers that do not answer are not known, and nobody waits for long', async () => {
  const kafka = new KafkaServers({ connectMs: 50, answerMs: 50 });
  const target = { brokers: ['127.0.0.1:1'], username: 'operator', password: 'secret' };
  await expect(kafka.report(target)).rejects.toThrow();
});
