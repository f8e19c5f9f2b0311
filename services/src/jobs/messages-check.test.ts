import { describe, expect, test } from '@jest/globals';
import { chainOf } from './digest.ts';
import { jobId } from './id.ts';
import { isMessageOf } from './messages-check.ts';
import type { Alive, Topic } from './messages.ts';

const id = jobId('default', chainOf('a'), 1);
const digest = chainOf('b');
const alive: Alive = {
  worker: 'w',
  host: 'h',
  node: null,
  startedAt: 1,
  at: 2,
  backend: 'scalar',
  engines: 1,
  lanes: 1,
  freeLanes: 0,
  rate: 0.5,
  capacity: 1,
  jobs: 1,
  backlogSeconds: 0,
  positions: [{ id, position: 1 }],
  cpu: 0,
  disk: { free: 0, total: 1 },
  draining: false,
};

describe('a message', () => {
  test.each<[Topic, unknown]>([
    ['jobs.0', { id, cost: 0 }],
    ['jobs.3', { id, cost: Number.MAX_SAFE_INTEGER }],
    ['jobs.1', { id, cost: 1, newer: 'field' }],
    ['results', { id, outcome: 'done', digest }],
    ['results', { id, outcome: 'failed', digest: null }],
    ['alive', alive],
    ['alive', { ...alive, node: 'n', disk: null, positions: [] }],
    ['control', { kind: 'cancel', id }],
  ])('of %s is taken: %j', (topic, value) => {
    expect(isMessageOf(topic, value)).toBe(true);
  });

  test.each<[Topic, unknown]>([
    ['jobs.0', null],
    ['jobs.0', 'text'],
    ['jobs.0', [id, 1]],
    ['jobs.0', { id }],
    ['jobs.0', { id: id.toUpperCase(), cost: 1 }],
    ['jobs.0', { id: `${id}0`, cost: 1 }],
    ['jobs.0', { id, cost: -1 }],
    ['jobs.0', { id, cost: 1.5 }],
    ['jobs.0', { id, cost: '1' }],
    ['jobs.0', { id, cost: 2 ** 53 }],
    ['results', { id, outcome: 'done', digest: null }],
    ['results', { id, outcome: 'cancelled', digest }],
    ['results', { id, outcome: 'gone', digest: null }],
    ['results', { id, outcome: 'done', digest: digest.slice(1) }],
    ['alive', { ...alive, worker: '' }],
    ['alive', { ...alive, worker: 'w'.repeat(1_000) }],
    ['alive', { ...alive, rate: Number.NaN }],
    ['alive', { ...alive, lanes: -1 }],
    ['alive', { ...alive, positions: [{ id }] }],
    ['alive', { ...alive, positions: Array.from({ length: 1_001 }, () => ({ id, position: 1 })) }],
    ['alive', { ...alive, disk: {} }],
    ['alive', { ...alive, draining: 0 }],
    ['alive', { ...alive, uptimeMs: -1 }],
    ['alive', { ...alive, uptimeMs: null }],
    ['alive', { ...alive, left: 1 }],
    ['control', { kind: 'drop', id }],
    ['control', Object.create({ kind: 'cancel', id })],
  ])('of %s is refused: %j', (topic, value) => {
    expect(isMessageOf(topic, value)).toBe(false);
  });
});
