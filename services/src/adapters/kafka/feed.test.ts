import { afterEach, expect, test } from '@jest/globals';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { Feed } from './feed.ts';
import { Health } from './health.ts';
import { TopicKeeper } from './topic-keeper.ts';
import type { Session, Wire } from './wire.ts';

const closed: string[] = [];
let feed: Feed<never> | null = null;

afterEach(async () => {
  await feed?.close();
});

function session(name: string): Session {
  return {
    ended: new Promise<never>(() => {}),
    commit: async () => {},
    close: async () => {
      closed.push(name);
    },
  };
}

/** A Kafka whose sessions open when the test says so. */
function openWire(open: Wire['open']): Wire {
  return {
    produce: async () => {},
    topics: async () => new Map([['jobs', { partitions: 1, led: [0] }]]),
    create: async () => {},
    configs: async () => new Map(),
    ends: async () => new Map([[0, 0]]),
    open,
    reset: async () => {},
    close: async () => {},
  };
}

test('a session that does not open in time is given up for a new one, and closed when it opens after all', async () => {
  const first = Promise.withResolvers<Session>();
  const second = Promise.withResolvers<void>();
  const attempts: Promise<Session>[] = [first.promise];
  const wire = openWire(() => {
    const attempt = attempts.shift();
    if (attempt) return attempt;
    second.resolve();
    return Promise.resolve(session('second'));
  });
  const logger = new RecordingLogger();
  const specs = [{ name: 'jobs', partitions: 1, replication: 1, config: {} }];
  const topics = new TopicKeeper({ wire, specs, health: new Health(logger, systemClock), logger });
  feed = new Feed<never>({
    ...{ wire, topics, topic: 'jobs', group: 'workers', maxBatch: 1, logger, clock: systemClock },
    ...{ decode: () => undefined, handle: async () => {}, openMs: 50 },
    ...{ onBad: () => {}, onDelivered: () => {}, onBroken: () => {} },
  });
  await feed.start();
  await second.promise;
  expect(feed.trouble()).toContain('Opening a session: no answer within 50 ms');
  const late = session('first');
  const isClosed = new Promise<void>((resolve) => {
    first.resolve({ ...late, close: () => late.close().then(resolve) });
  });
  await isClosed;
  expect(closed).toEqual(['first']);
});
