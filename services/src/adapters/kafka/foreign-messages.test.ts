import { expect, test } from '@jest/globals';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { ForeignMessages } from './foreign-messages.ts';

const [OWN, OTHER] = ['0123abcd', 'fedc9876'];

test('messages of another database are counted, logged once a topic and minute, and a fault while they arrive', () => {
  const logger = new RecordingLogger();
  const counted: unknown[] = [];
  let now = 0;
  const foreign = new ForeignMessages(
    logger,
    { now: () => now, monotonic: () => now },
    { add: (count, labels) => counted.push([count, labels]) },
  );
  expect(foreign.trouble()).toBeNull();
  for (const topic of ['alive', 'alive', 'results', 'alive'] as const) foreign.found(topic, OTHER, OWN);
  expect(counted).toHaveLength(4);
  const logged = () => logger.records.map(({ fields }) => [fields['topic'], fields['count']]);
  expect(logged()).toEqual([
    ['alive', 1],
    ['results', 1],
  ]);
  expect(foreign.trouble()).toContain(`messages of another database (${OTHER}) arrive on alive`);
  now = 60_000;
  foreign.found('alive', OTHER, OWN);
  expect(logged()).toContainEqual(['alive', 3]);
  now = 120_001;
  expect(foreign.trouble()).toBeNull();
});
