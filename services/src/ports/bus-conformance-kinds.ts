import { expect, test } from '@jest/globals';
import { chainOf } from '../jobs/digest.ts';
import type { Alive, Topic, Topics } from '../jobs/messages.ts';
import { dispatch, gate, LIMIT_MS, type Open } from './bus-conformance-kit.ts';

/** One of each kind of message, with everything that can be in it. */
const ALIVE: Alive = {
  worker: 'w-1',
  host: 'höst',
  node: null,
  startedAt: 1_700_000_000_000,
  at: 1_700_000_000_123,
  backend: 'avx512',
  engines: 2,
  lanes: 16,
  freeLanes: 3,
  rate: 1.5e6,
  capacity: 2e6,
  jobs: 4,
  backlogSeconds: 0.25,
  positions: [{ id: dispatch(1).id, position: Number.MAX_SAFE_INTEGER }],
  cpu: 0.5,
  disk: { free: 1, total: 2 },
  draining: false,
};
const KINDS: readonly Kind[] = [
  ['jobs.0', [dispatch(1)]],
  ['jobs.3', [{ ...dispatch(2), cost: Number.MAX_SAFE_INTEGER - 1 }]],
  [
    'results',
    [
      { id: dispatch(1).id, outcome: 'done', digest: chainOf('1') },
      { id: dispatch(2).id, outcome: 'failed', digest: null },
    ],
  ],
  ['alive', [ALIVE, { ...ALIVE, node: 'n', disk: null, positions: [], draining: true }]],
  ['control', [{ kind: 'cancel', id: dispatch(1).id }]],
];

type Kind = { readonly [T in Topic]: readonly [T, readonly Topics[T][]] }[Topic];

/** Every topic carries its messages unchanged. */
export function describeKinds(open: Open): void {
  test.each(KINDS)(
    'what is published on %s arrives as it was',
    async (topic, messages) => {
      const bus = await open();
      const got: unknown[] = [];
      const all = gate();
      await bus.subscribe(topic, { group: null, maxBatch: 10 }, async (batch) => {
        got.push(...batch.messages);
        if (got.length >= messages.length) all.open();
      });
      await bus.publish(topic, messages);
      await all.passed;
      expect(got).toHaveLength(messages.length);
      expect(got).toEqual(expect.arrayContaining([...messages]));
    },
    LIMIT_MS,
  );
}
