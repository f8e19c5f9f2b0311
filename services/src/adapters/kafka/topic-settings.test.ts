import { expect, test } from '@jest/globals';
import { refusingSettings, wrongSettings } from './topic-settings.ts';

const COMPACT = 'cleanup.policy=compact refuses messages without keys';

test.each<[Record<string, string>, string[], string | null]>([
  [{}, [], null],
  [{ 'cleanup.policy': 'delete', 'max.message.bytes': '1048588', 'retention.ms': '3600000' }, [], null],
  [{ 'retention.ms': '-1' }, [], null],
  [{ 'cleanup.policy': 'compact' }, [COMPACT], COMPACT],
  [
    { 'cleanup.policy': 'compact,delete' },
    ['cleanup.policy=compact,delete refuses messages without keys'],
    'cleanup.policy=compact,delete refuses messages without keys',
  ],
  [{ 'max.message.bytes': '1000' }, ['max.message.bytes=1000 is less than 131072'], null],
  [{ 'retention.ms': '1000' }, ['retention.ms=1000 is less than 60000'], null],
])('topic settings %j: %j are wrong', (settings, wrong, refusing) => {
  const map = new Map(Object.entries(settings));
  expect(wrongSettings(map)).toEqual(wrong);
  expect(refusingSettings(map)).toBe(refusing);
});
