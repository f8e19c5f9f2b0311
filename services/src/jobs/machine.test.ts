import { describe, expect, test } from '@jest/globals';
import { chainOf } from './digest.ts';
import { jobFacts } from './id.ts';
import { stateOf, viewOf, type ChainPoint, type JobRecord, type JobResult, type LiveJob } from './job.ts';
import { MAX_ATTEMPTS, RETENTION_GRAIN_MS } from './limits.ts';
import * as machine from './machine.ts';

const FACTS = jobFacts('default', chainOf('abc'), 20_000_000);
const MOMENT: machine.Moment = { now: 1_000_000, retentionMs: 50 * RETENTION_GRAIN_MS };
const LATER: machine.Moment = { ...MOMENT, now: MOMENT.now + 5_000 };

function pointAt(position: number): ChainPoint {
  return { position, digest: position === 1 ? FACTS.chain : chainOf(`at ${position}`) };
}

function live(changes: Partial<LiveJob> = {}): LiveJob {
  const begun = { ...FACTS, ...pointAt(1), class: 2 as const, owner: null, attempts: 0 };
  return { ...begun, createdAt: MOMENT.now, queuedAt: MOMENT.now, ...changes };
}

function result(changes: Partial<JobResult> = {}): JobResult {
  const times = { createdAt: 1, startedAt: 2, finishedAt: 3, expiresAt: MOMENT.now + MOMENT.retentionMs };
  const done = { outcome: 'done' as const, digest: pointAt(20_000_000).digest, reason: null };
  return { ...FACTS, ...done, computed: 19_999_999, worker: 'w', ...times, ...changes };
}

const CANCELLED = result({ outcome: 'cancelled', digest: null });
const QUEUED: JobRecord = { live: live(), result: null };
const RUNNING: JobRecord = { live: live({ owner: 'w' }), result: null };
const DONE: JobRecord = { live: null, result: result() };

const DIGEST = result().digest!;
const COMPLETION = { ...FACTS, digest: DIGEST, computed: 7, worker: 'w', createdAt: 10, startedAt: 20 };

describe('a submission', () => {
  test('of something unknown makes a job at position 1', () => {
    expect(machine.submit(machine.UNKNOWN, FACTS, null, MOMENT)).toEqual({
      record: QUEUED,
      answer: 'created',
    });
  });

  test('starts at what is known of the chain, and costs less', () => {
    const { record } = machine.submit(machine.UNKNOWN, FACTS, pointAt(19_950_000), MOMENT);
    expect(record.live).toEqual(live({ ...pointAt(19_950_000), class: 0 }));
  });

  test.each([0, 1, 20_000_000, 20_000_001])('does not start at %d of 20,000,000', (position) => {
    expect(machine.submit(machine.UNKNOWN, FACTS, pointAt(position), MOMENT).record.live).toEqual(live());
  });

  test.each([
    { what: 'a queued job', record: QUEUED },
    { what: 'a running job', record: RUNNING },
  ])('joins $what', ({ record }) => {
    expect(machine.submit(record, FACTS, pointAt(500), LATER)).toEqual({ record, answer: 'joined' });
  });

  test('of something done is answered by the result', () => {
    const { record, answer } = machine.submit(DONE, FACTS, null, LATER);
    expect(answer).toBe('known');
    expect(record).toEqual(DONE);
  });

  test.each(['cancelled', 'failed'] as const)(
    'of something %s queues it again; the old result stays meanwhile',
    (outcome) => {
      const before = { live: null, result: result({ outcome, digest: null }) };
      const { record, answer } = machine.submit(before, FACTS, null, MOMENT);
      expect(answer).toBe('created');
      expect(record).toEqual({ live: live(), result: before.result });
    },
  );
});

describe('a submission of a job that was cancelled or failed', () => {
  const stood = result({ outcome: 'cancelled', digest: null, point: pointAt(500) });

  test.each([
    { known: null, from: 500 },
    { known: pointAt(400), from: 500 },
    { known: pointAt(600), from: 600 },
  ])('goes on from where it stood, or further: $from', ({ known, from }) => {
    const { record } = machine.submit({ live: null, result: stood }, FACTS, known, MOMENT);
    expect(record.live).toEqual(live(pointAt(from)));
  });
});

describe('a use of a result', () => {
  test.each([
    { after: 0, moved: false },
    { after: RETENTION_GRAIN_MS - 1, moved: false },
    { after: RETENTION_GRAIN_MS, moved: true },
    { after: 40 * RETENTION_GRAIN_MS, moved: true },
  ])('$after ms after the last moves its expiry: $moved', ({ after, moved }) => {
    const now = MOMENT.now + after;
    const expected = moved ? now + MOMENT.retentionMs : result().expiresAt;
    expect(machine.used(result(), { ...MOMENT, now })).toEqual(result({ expiresAt: expected }));
  });

  test.each([
    { retentionMs: 60_000, after: 5_999, moved: false },
    { retentionMs: 60_000, after: 6_000, moved: true },
    { retentionMs: RETENTION_GRAIN_MS, after: RETENTION_GRAIN_MS / 10 - 1, moved: false },
    { retentionMs: RETENTION_GRAIN_MS, after: RETENTION_GRAIN_MS / 10, moved: true },
  ])(
    'kept for $retentionMs ms, $after ms after the last, moves its expiry: $moved',
    ({ retentionMs, after, moved }) => {
      const before = result({ expiresAt: MOMENT.now + retentionMs });
      const now = MOMENT.now + after;
      const expiresAt = moved ? now + retentionMs : before.expiresAt;
      expect(machine.used(before, { now, retentionMs })).toEqual({ ...before, expiresAt });
    },
  );

  test('never shortens its time', () => {
    expect(machine.used(result(), { now: 0, retentionMs: 0 })).toEqual(result());
  });
});

describe('a claim', () => {
  test('takes a queued job', () => {
    const job = live({ owner: 'w' });
    expect(machine.claim(QUEUED, 'w')).toEqual({ record: { live: job, result: null }, answer: job });
  });

  test.each([
    { what: 'unknown', record: machine.UNKNOWN },
    { what: 'running elsewhere', record: RUNNING },
    { what: 'done', record: DONE },
  ])('of a job that is $what takes nothing', ({ record }) => {
    expect(machine.claim(record, 'v')).toEqual({ record, answer: null });
  });
});

describe('a checkpoint', () => {
  test.each([
    { who: 'w', position: 500, answer: 'kept', to: 500 },
    { who: 'v', position: 500, answer: 'lost', to: 500 },
    { who: 'w', position: 100, answer: 'kept', to: 100 },
    { who: 'w', position: 99, answer: 'kept', to: 100 },
    { who: 'v', position: 99, answer: 'lost', to: 100 },
    { who: 'w', position: 20_000_000, answer: 'kept', to: 100 },
  ])(
    'by $who at $position is $answer, and the job of w at 100 stands at $to',
    ({ who, position, answer, to }) => {
      const record = { live: live({ owner: 'w', ...pointAt(100), attempts: 3 }), result: null };
      const step = machine.checkpoint(record, who, pointAt(position));
      const attempts = to > 100 ? 0 : 3;
      expect(step).toEqual({
        answer,
        record: { live: live({ owner: 'w', ...pointAt(to), attempts }), result: null },
      });
    },
  );

  test('with another digest for the same position changes nothing', () => {
    const record = { live: live({ owner: 'w', ...pointAt(100) }), result: null };
    const wrong = { position: 100, digest: chainOf('wrong') };
    expect(machine.checkpoint(record, 'w', wrong)).toEqual({ record, answer: 'contradiction' });
  });

  test.each([machine.UNKNOWN, DONE])('of what is not live is lost', (record) => {
    expect(machine.checkpoint(record, 'w', pointAt(9))).toEqual({ record, answer: 'lost' });
  });
});

describe('a completion', () => {
  const stored = result({ computed: 7, createdAt: 10, startedAt: 20, finishedAt: MOMENT.now });

  test.each([
    { what: 'running', record: RUNNING },
    { what: 'queued', record: QUEUED },
    { what: 'unknown', record: machine.UNKNOWN },
    { what: 'cancelled and live again', record: { live: live(), result: CANCELLED } },
  ])('of a job that is $what stores its digest', ({ record }) => {
    const step = machine.complete(record, COMPLETION, MOMENT);
    expect(step).toEqual({ record: { live: null, result: stored }, answer: 'stored' });
  });

  test('of a job that is cancelled changes nothing', () => {
    const record = { live: null, result: CANCELLED };
    expect(machine.complete(record, COMPLETION, MOMENT)).toEqual({ record, answer: 'cancelled' });
  });

  test('that a client brings stores its digest, also where the job is cancelled', () => {
    const step = machine.bring({ live: null, result: CANCELLED }, COMPLETION, MOMENT);
    expect(step).toEqual({ record: { live: null, result: stored }, answer: 'stored' });
  });

  test('that comes again is known, and ends what is still live', () => {
    const step = machine.complete({ live: live(), result: result() }, COMPLETION, LATER);
    expect(step).toEqual({ record: DONE, answer: 'known' });
  });

  test('with another digest is a contradiction, and changes nothing', () => {
    const wrong = { ...COMPLETION, digest: chainOf('wrong') };
    expect(machine.complete(DONE, wrong, MOMENT)).toEqual({ record: DONE, answer: 'contradiction' });
  });
});

describe('a release', () => {
  test('queues the job where it stands, by what is left of it', () => {
    const job = live({ ...pointAt(19_950_000), class: 0, queuedAt: LATER.now });
    const step = machine.release(RUNNING, 'w', pointAt(19_950_000), LATER.now);
    expect(step).toEqual({ record: { live: job, result: null }, answer: true });
  });

  test('keeps the larger position and the deaths that it did not make up for', () => {
    const record = { live: live({ owner: 'w', ...pointAt(500), attempts: 3 }), result: null };
    const job = live({ ...pointAt(500), attempts: 3, queuedAt: LATER.now });
    expect(machine.release(record, 'w', pointAt(400), LATER.now).record.live).toEqual(job);
  });

  test.each([
    { what: 'unknown', record: machine.UNKNOWN },
    { what: 'queued', record: QUEUED },
    { what: 'done', record: DONE },
    { what: 'held by another', record: { live: live({ owner: 'v' }), result: null } },
  ])('of a job that is $what does nothing', ({ record }) => {
    expect(machine.release(record, 'w', pointAt(500), LATER.now)).toEqual({ record, answer: false });
  });
});

describe('the death of a worker', () => {
  test('queues its job again and is counted', () => {
    const record = { live: live({ owner: 'w', ...pointAt(19_950_000), attempts: 3 }), result: null };
    const job = live({ ...pointAt(19_950_000), class: 0, attempts: 4, queuedAt: LATER.now });
    expect(machine.expire(record, LATER)).toEqual({
      record: { live: job, result: null },
      answer: 'requeued',
    });
  });

  test('once too often gives the job up, and says why', () => {
    const record = { live: live({ owner: 'w', ...pointAt(500), attempts: MAX_ATTEMPTS - 1 }), result: null };
    const step = machine.expire(record, LATER);
    expect(step.answer).toBe('failed');
    expect(step.record.live).toBeNull();
    expect(step.record.result).toMatchObject({
      ...FACTS,
      outcome: 'failed',
      reason: '20 workers died holding this job at position 500 without progress; the last was w',
      digest: null,
      computed: 499,
      point: pointAt(500),
      worker: null,
      startedAt: null,
      finishedAt: LATER.now,
      expiresAt: LATER.now + LATER.retentionMs,
    });
  });

  test.each([machine.UNKNOWN, QUEUED, DONE])('does not touch what nobody holds', (record) => {
    expect(machine.expire(record, LATER)).toEqual({ record, answer: null });
  });
});

describe('a cancellation', () => {
  test.each([
    { what: 'queued', record: QUEUED },
    { what: 'running', record: RUNNING },
  ])('ends a $what job; nobody has finished it', ({ record }) => {
    const step = machine.cancel(record, LATER);
    expect(step.answer).toBe(true);
    expect(step.record.live).toBeNull();
    const times = { createdAt: MOMENT.now, finishedAt: LATER.now };
    expect(step.record.result).toMatchObject({
      outcome: 'cancelled',
      reason: null,
      computed: 0,
      worker: null,
      startedAt: null,
      ...times,
    });
  });

  test.each([
    { what: 'unknown', record: machine.UNKNOWN },
    { what: 'done', record: DONE },
    { what: 'done while a live job is still to be deleted', record: { live: live(), result: result() } },
  ])('of a job that is $what does nothing', ({ record }) => {
    expect(machine.cancel(record, LATER)).toEqual({ record, answer: false });
  });
});

describe('what a reader is shown', () => {
  test.each([
    { what: 'nothing', record: machine.UNKNOWN, state: null },
    { what: 'a queued job', record: QUEUED, state: 'queued' },
    { what: 'a running job', record: RUNNING, state: 'running' },
    { what: 'a done result', record: DONE, state: 'done' },
    { what: 'a done result before a live job', record: { live: live(), result: result() }, state: 'done' },
    {
      what: 'a live job before a cancelled result',
      record: { live: live(), result: CANCELLED },
      state: 'queued',
    },
    { what: 'a cancelled result', record: { live: null, result: CANCELLED }, state: 'cancelled' },
  ])('is $what', ({ record, state }) => {
    const view = viewOf(record);
    expect(view && stateOf(view)).toBe(state);
  });
});
