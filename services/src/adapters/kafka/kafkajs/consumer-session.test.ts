import { test } from '@jest/globals';
import { RecordingLogger } from '../../../runtime/testing/recording-logger.ts';
import { startSilent } from '../testing/unusable.ts';
import type { Sink } from '../wire.ts';
import { ConsumerSession } from './consumer-session.ts';
import { findBroker } from '../bootstrap.ts';
import { createStart } from './kafka.ts';

const sink: Sink = {
  memberId: null,
  position: () => undefined,
  assigned: () => {},
  seek: () => {},
  put: () => {},
  room: async () => true,
  polled: () => {},
  rebalancing: () => {},
  identify: () => {},
};

test('a session whose broker is silent while it joins closes in bounded time, and cuts its connections', async () => {
  const silent = await startSilent();
  try {
    const connection = await findBroker({ brokers: [silent.address], clientId: 'test' });
    const start = createStart(connection, new RecordingLogger());
    const options = { topic: 'jobs', partitions: 1, group: 'workers', sink };
    const session = new ConsumerSession(start, async () => {}, options);
    while (silent.open() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await session.close();
    while (silent.open() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  } finally {
    await silent.close();
  }
}, 9_000);
