import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSchemas } from '../schemas.ts';
import { jobResult, liveJob } from '../testing/jobs.ts';
import { jobJson } from './job-body.ts';

const { job: schema } = createSchemas({ maxIterations: Number.MAX_SAFE_INTEGER, maxBatchItems: 10_000 });

function body(...args: Parameters<typeof jobJson>): Record<string, unknown> {
  return JSON.parse(jobJson(...args)) as Record<string, unknown>;
}

const position = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const text = fc.option(fc.string({ unit: 'binary' }));

describe('the body of a job', () => {
  test('of any live job is what the schema says', () => {
    const progress = fc.option(
      fc.record({ position, rate: fc.option(fc.double({ min: 0, max: 1e12, noNaN: true })) }),
    );
    fc.assert(
      fc.property(fc.tuple(position, position), text, progress, (positions, owner, said) => {
        const [at, iterations] = positions.sort((a, b) => a - b);
        const view = { kind: 'live', job: liveJob('x', { position: at, iterations, owner }) } as const;
        expect(schema.safeParse(body(view, said)).error).toBeUndefined();
      }),
    );
  });

  test('of any result is what the schema says', () => {
    const outcome = fc.constantFrom('done', 'cancelled', 'failed');
    const time = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(
        fc.record({ outcome, reason: text, worker: text, finishedAt: time }),
        position,
        (changes, iterations) => {
          const digest = changes.outcome === 'done' ? 'd'.repeat(128) : null;
          const view = {
            kind: 'result',
            result: jobResult('x', { ...changes, digest, iterations }),
          } as const;
          expect(schema.safeParse(body(view, null)).error).toBeUndefined();
        },
      ),
    );
  });

  test('of a running job takes in what its worker said last', () => {
    const job = liveJob('x', { owner: 'w1', position: 1_000, iterations: 1_000_000 });
    const said = { position: 500_000, rate: 100_000.4 };
    expect(body({ kind: 'live', job }, said)).toMatchObject({
      ...{ state: 'running', position: 500_000, progress: 0.5, worker: 'w1', rate: 100_000, etaSeconds: 5 },
      ...{ digest: null, finishedAt: null, createdAt: '1970-01-01T00:00:01.000Z' },
    });
  });

  test('of a queued job does not believe a worker that has lost it, and the store may be ahead of a worker', () => {
    const said = { position: 500, rate: 10 };
    const queued = liveJob('x', { position: 100 });
    expect(body({ kind: 'live', job: queued }, said)).toMatchObject({
      state: 'queued',
      position: 100,
      rate: null,
    });
    const running = liveJob('x', { position: 900, owner: 'w1' });
    expect(body({ kind: 'live', job: running }, said)).toMatchObject({ position: 900 });
  });

  test('is never complete before the end', () => {
    const job = liveJob('x', { iterations: 1e12, position: 1e12 - 1 });
    expect(body({ kind: 'live', job }, null)['progress']).toBeLessThan(1);
  });

  test('of an ended job says how it ended', () => {
    const done = jobResult('x', { iterations: 10, computed: 4 });
    expect(body({ kind: 'result', result: done }, null)).toMatchObject({
      ...{ state: 'done', position: 10, progress: 1, digest: 'd'.repeat(128), computed: 4, reason: null },
    });
    const failed = jobResult('x', {
      iterations: 10,
      computed: 4,
      outcome: 'failed',
      digest: null,
      reason: 'a "reason"\n',
    });
    expect(body({ kind: 'result', result: failed }, null)).toMatchObject({
      ...{ state: 'failed', position: 5, progress: 0.5, digest: null, reason: 'a "reason"\n' },
    });
  });
});
