import { describe, expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '../../runtime/system-clock.ts';
import { ProblemError } from '../problems.ts';
import { MemoryLogger, MemoryMetrics, PlainInlineHasher } from '../testing/doubles.ts';
import { until } from '../testing/harness.ts';
import { facts } from '../testing/jobs.ts';
import { MemoryBus } from '../testing/memory-bus.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { Announcements } from './announcements.ts';
import { InlineHashing } from './inline-hashing.ts';
import { StoreCalls } from './store-calls.ts';
import { Submitter } from './submitter.ts';

function setup({ maxPending = 100_000, retryMs = 5_000 } = {}) {
  const [clock, logger, metrics] = [systemClock, new MemoryLogger(), new MemoryMetrics()];
  const [memory, bus] = [new MemoryStore(clock), new MemoryBus()];
  const store = new StoreCalls({
    store: memory,
    clock,
    logger,
    failures: metrics.counter('failures'),
    retryMs,
  });
  const announcements = new Announcements({ bus, logger, lost: metrics.counter('lost') });
  const inline = new InlineHashing({ hasher: new PlainInlineHasher(), clock, maxIterations: 2_000 });
  const submitted = metrics.counter('submitted');
  const submitter = new Submitter({ store, inline, announcements, logger, submitted, maxPending });
  return { memory, bus, metrics, logger, store, announcements, submitter };
}

const kinds = (answers: readonly object[]): string[] =>
  answers.map((answer) => ('slug' in answer ? (answer.slug as string) : (answer as { kind: string }).kind));

describe('submitting', () => {
  test('brings the submissions of one turn to the store in one call', async () => {
    const { submitter, memory } = setup();
    const all = await Promise.all(
      Array.from({ length: 64 }, (_, i) => submitter.submit([facts(`job ${i}`)])),
    );
    expect(memory.batches).toEqual([64]);
    expect(kinds(all.flat())).toEqual(Array(64).fill('created'));
  });

  test('lets a batch grow while each turn brings more, but not for ever', async () => {
    const { submitter, memory } = setup();
    const all: Promise<object[]>[] = [];
    while (memory.batches.length === 0) {
      const next = nextTurn();
      all.push(submitter.submit([facts(`job ${all.length}`)]));
      await next;
    }
    expect(memory.batches[0]).toBeGreaterThan(4);
    expect(memory.batches[0]).toBeLessThan(16);
    expect(kinds((await Promise.all(all)).flat())).toEqual(all.map(() => 'created'));
  });

  test('collects what comes while a call is under way into the next one', async () => {
    const { submitter, memory } = setup();
    let open = (): void => undefined;
    memory.gate = new Promise<void>((resolve) => (open = resolve));
    const first = submitter.submit([facts('first')]);
    while (memory.batches.length === 0) await nextTurn();
    const later = [];
    for (let i = 0; i < 10; i++) {
      later.push(submitter.submit([facts(`later ${i}`)]));
      await nextTurn();
    }
    expect(submitter.pending).toBe(11);
    memory.gate = null;
    open();
    await Promise.all([first, ...later]);
    expect(memory.batches).toEqual([1, 10]);
    expect(submitter.pending).toBe(0);
  });

  test('answers each request with its own, in order, across batches', async () => {
    const { submitter, memory } = setup();
    const jobs = Array.from({ length: 2_500 }, (_, i) => facts(`job ${i}`));
    const [bulk, small] = await Promise.all([submitter.submit(jobs), submitter.submit([facts('small')])]);
    const ids = bulk.map((answer) => ('kind' in answer && answer.kind === 'created' ? answer.job.id : null));
    expect(ids).toEqual(jobs.map(({ id }) => id));
    expect(kinds(small)).toEqual(['created']);
    expect(memory.batches).toEqual([1_000, 1_000, 501]);
  });

  test('stores short jobs with their digest and dispatches the others by their class', async () => {
    const { submitter, bus, announcements, metrics } = setup();
    const jobs = [facts('a', 1), facts('b', 10), facts('c', 50_000), facts('d', 1e6), facts('e', 1e12)];
    expect(kinds(await submitter.submit(jobs))).toEqual(['known', 'known', 'created', 'created', 'created']);
    await announcements.settled();
    expect(bus.published).toEqual([
      { topic: 'jobs.0', message: { id: jobs[2]!.id, cost: 49_999 } },
      { topic: 'jobs.1', message: { id: jobs[3]!.id, cost: 999_999 } },
      { topic: 'jobs.3', message: { id: jobs[4]!.id, cost: 1e12 - 1 } },
    ]);
    expect(metrics.sums.get('submitted{answer=computed}')).toBe(2);
    expect(metrics.sums.get('submitted{answer=created}')).toBe(3);
  });

  test('makes one job of equal ones and dispatches it once', async () => {
    const { submitter, bus, announcements } = setup();
    const answers = await submitter.submit([facts('a'), facts('a')]);
    await submitter.submit([facts('a')]);
    await announcements.settled();
    expect(kinds(answers)).toEqual(['created', 'joined']);
    expect(bus.published).toHaveLength(1);
  });

  test('tries again under the same ids while the store is away', async () => {
    const { submitter, memory } = setup();
    memory.away = 2;
    expect(kinds(await submitter.submit([facts('a')]))).toEqual(['created']);
    expect(memory.batches).toEqual([1, 1, 1]);
    expect(memory.records.size).toBe(1);
  });

  test('dispatches a job whose first answer got lost', async () => {
    const { submitter, memory, bus, announcements } = setup();
    memory.answersLost = 1;
    expect(kinds(await submitter.submit([facts('a')]))).toEqual(['joined']);
    await announcements.settled();
    expect(bus.messages('jobs.1')).toEqual([{ id: facts('a').id, cost: 999_999 }]);
  });

  test('answers unavailable when the store stays away, and works again once it is back', async () => {
    const { submitter, memory } = setup({ retryMs: 50 });
    memory.away = Infinity;
    expect(kinds(await submitter.submit([facts('a')]))).toEqual(['unavailable']);
    memory.away = 0;
    // It may have been given up, and is looked for first.
    await until(async () => kinds(await submitter.submit([facts('a')]))[0] === 'created');
  });

  test('answers every request of a batch that failed for another reason, and logs why', async () => {
    const { submitter, memory, logger } = setup();
    memory.submit = () => Promise.reject(new Error('disk on fire'));
    const answers = await Promise.all([submitter.submit([facts('a')]), submitter.submit([facts('b')])]);
    expect(kinds(answers.flat())).toEqual(['internal', 'internal']);
    expect(logger.with('Submissions failed')[0]?.fields['error']).toMatchObject({ message: 'disk on fire' });
  });

  test('refuses what would not fit, as a whole', async () => {
    const { submitter, memory } = setup({ maxPending: 10 });
    const jobs = Array.from({ length: 8 }, (_, i) => facts(`job ${i}`));
    const fits = submitter.submit(jobs);
    expect(() => submitter.submit(jobs.slice(0, 3))).toThrow(ProblemError);
    await fits;
    expect(memory.batches).toEqual([8]);
    expect(kinds(await submitter.submit(jobs.slice(0, 3)))).toEqual(['joined', 'joined', 'joined']);
  });

  test('raises an alarm when the store knows another digest', async () => {
    const { submitter, memory, logger } = setup();
    const job = facts('a', 10);
    const done = { ...job, digest: 'e'.repeat(128), computed: 9, worker: 'w', createdAt: 1, startedAt: null };
    await memory.complete([done]);
    expect(kinds(await submitter.submit([job]))).toEqual(['contradiction']);
    expect(logger.with('Two digests for one job: hardware is broken')[0]).toMatchObject({
      level: 'error',
      fields: { job: job.id, stored: done.digest },
    });
  });

  test('is not hurt by a bus that is away', async () => {
    const { submitter, bus, announcements, metrics, logger } = setup();
    bus.away = true;
    expect(kinds(await submitter.submit([facts('a'), facts('b')]))).toEqual(['created', 'created']);
    await announcements.settled();
    expect(metrics.sums.get('lost{topic=jobs.1}')).toBe(2);
    expect(logger.with('Messages are lost: the bus does not take them')).toHaveLength(1);
  });
});
