import { expect, test } from '@jest/globals';
import { createKafkaServers } from './kafka-servers.ts';
import { sharedKafka } from './testing/kafka.ts';
import { startSilent } from './testing/unusable.ts';

const { broker, skipped } = await sharedKafka();
const needs = broker === null ? ` (needs Docker: ${skipped ?? 'no reason given'})` : '';

(broker === null ? test.skip : test)(`brokers say who they are and how full they are${needs}`, async () => {
  const servers = createKafkaServers({ brokers: [broker!], clientId: 'test' });
  const { brokers, disks } = await servers.report();
  expect(brokers).toHaveLength(1);
  expect(disks).toEqual([{ broker: brokers[0], used: expect.any(Number), total: expect.any(Number) }]);
  const { used, total } = disks[0]!;
  expect(used).toBeGreaterThan(0);
  expect(total).toBeGreaterThan(used);
});

test('brokers that do not answer are not known', async () => {
  const servers = createKafkaServers({ brokers: ['127.0.0.1:1'], clientId: 'test' });
  await expect(servers.report()).rejects.toThrow();
});

test('brokers that fall silent are waited for no longer than the deadline', async () => {
  const silent = await startSilent();
  try {
    const servers = createKafkaServers({ brokers: [silent.address], clientId: 'test' }, 200);
    await expect(servers.report()).rejects.toThrow('no answer within 200 ms');
  } finally {
    await silent.close();
  }
});
