import { expect, test } from '@jest/globals';
import type { EndpointReading, KafkaReport } from '../plan/observed.ts';
import { NOW, report } from '../plan/testing/scene.ts';
import { kafkaReading } from './kafka-reading.ts';

const BUS: KafkaReport = { brokers: [0, 1], disks: [{ broker: 0, used: 1, total: 2 }] };
const OLDER: KafkaReport = { brokers: [0], disks: [] };

function heard(at: number, bus: KafkaReport | null | undefined): EndpointReading {
  const value = { ...report(1, 0), bus };
  return { pod: 'a', cluster: { at, value }, workers: { at, value: [] } };
}

function failed(at: number): EndpointReading {
  const error = { at, error: 'refused' };
  return { pod: 'b', cluster: error, workers: error };
}

const NOT_HEARD = 'no endpoint hears from its brokers';

test.each([
  { says: 'nobody was asked', endpoints: [], expected: null },
  {
    says: 'the newest word counts',
    endpoints: [heard(NOW - 5, OLDER), heard(NOW, BUS), heard(NOW - 9, OLDER)],
    expected: { at: NOW, value: BUS },
  },
  {
    says: 'an endpoint that hears nothing is no reason to doubt another',
    endpoints: [heard(NOW, null), failed(NOW - 1), heard(NOW - 3, BUS)],
    expected: { at: NOW - 3, value: BUS },
  },
  {
    says: 'no endpoint hears the brokers',
    endpoints: [failed(NOW - 3), heard(NOW, null)],
    expected: { at: NOW, error: NOT_HEARD },
  },
  { says: 'endpoints are too old to say', endpoints: [heard(NOW, undefined)], expected: null },
  { says: 'no endpoint answers', endpoints: [failed(NOW)], expected: { at: NOW, error: 'refused' } },
])('$says', ({ endpoints, expected }) => {
  expect(kafkaReading(endpoints)).toEqual(expected);
});
