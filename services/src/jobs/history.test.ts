import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { costClassOf } from './cost.ts';
import { chainOf } from './digest.ts';
import { jobFacts } from './id.ts';
import { stateOf, viewOf, type ChainPoint, type JobRecord } from './job.ts';
import { MAX_ATTEMPTS, RETENTION_GRAIN_MS } from './limits.ts';
import * as machine from './machine.ts';

/**
 * One job, its client, two workers and a sweeper, in any order: workers speak late, twice, or after they were given up,
 * and some of what they say is wrong. What must hold, holds after every event.
 */

const FACTS = jobFacts('default', chainOf('abc'), 1_000_000);
const POSITIONS = [1, 2, 500_000, 900_001, 999_999, 1_000_000];

function digestAt(position: number): string {
  return position === 1 ? FACTS.chain : chainOf(`at ${position}`);
}

type Worker = 'w1' | 'w2';
type Event =
  | { readonly kind: 'submit'; readonly known: number | null }
  | { readonly kind: 'claim'; readonly worker: Worker }
  | { readonly kind: 'checkpoint' | 'release'; readonly worker: Worker; readonly point: ChainPoint }
  | { readonly kind: 'complete'; readonly worker: Worker; readonly digest: string }
  | { readonly kind: 'expire' | 'cancel' };

const worker = fc.constantFrom<Worker>('w1', 'w2');
const position = fc.constantFrom(...POSITIONS);
const rightPoint = position.map((at) => ({ position: at, digest: digestAt(at) }));
const wrongPoint = position.map((at) => ({ position: at, digest: chainOf('wrong') }));

function history(point: fc.Arbitrary<ChainPoint>, digest: fc.Arbitrary<string>): fc.Arbitrary<Event[]> {
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ kind: fc.constant('submit' as const), known: fc.option(position) }),
    { arbitrary: fc.record({ kind: fc.constant('claim' as const), worker }), weight: 2 },
    fc.record({ kind: fc.constantFrom('checkpoint' as const, 'release' as const), worker, point }),
    fc.record({ kind: fc.constant('complete' as const), worker, digest }),
    { arbitrary: fc.record({ kind: fc.constantFrom('expire' as const, 'cancel' as const) }), weight: 2 },
  );
  return fc.array(event, { maxLength: 60, size: 'max' });
}

const SOUND = history(rightPoint, fc.constant(digestAt(1_000_000)));
const BROKEN = history(
  fc.oneof(rightPoint, wrongPoint),
  fc.constantFrom(digestAt(1_000_000), chainOf('wrong'), chainOf('wrong, too')),
);

function after(record: JobRecord, event: Event, now: number): machine.Step<unknown> {
  const moment = { now, retentionMs: 30 * RETENTION_GRAIN_MS };
  switch (event.kind) {
    case 'submit': {
      const known = event.known === null ? null : { position: event.known, digest: digestAt(event.known) };
      return machine.submit(record, FACTS, known, moment);
    }
    case 'claim':
      return machine.claim(record, event.worker);
    case 'checkpoint':
      return machine.checkpoint(record, event.worker, event.point);
    case 'release':
      return machine.release(record, event.worker, event.point, now);
    case 'complete': {
      const work = { computed: 5, createdAt: 0, startedAt: null };
      return machine.complete(
        record,
        { ...FACTS, ...work, digest: event.digest, worker: event.worker },
        moment,
      );
    }
    case 'expire':
      return machine.expire(record, moment);
    case 'cancel':
      return machine.cancel(record, moment);
  }
}

interface Seen {
  readonly before: JobRecord;
  readonly event: Event;
  readonly step: machine.Step<unknown>;
  readonly now: number;
}

/** Looks at every step of every history. */
function always(histories: fc.Arbitrary<Event[]>, look: (seen: Seen) => void): void {
  fc.assert(
    fc.property(histories, (events) => {
      let before = machine.UNKNOWN;
      for (const [at, event] of events.entries()) {
        const now = at * (RETENTION_GRAIN_MS / 3);
        const step = after(before, event, now);
        look({ before, event, step, now });
        before = step.record;
      }
    }),
    { numRuns: 300 },
  );
}

describe('in any history', () => {
  test('a job that was acknowledged is never lost: it ends only as somebody decided', () => {
    always(BROKEN, ({ before, event, step }) => {
      const [from, to] = [viewOf(before), viewOf(step.record)];
      if (event.kind === 'submit') expect(to).not.toBeNull();
      if (!from) return;
      expect(to).not.toBeNull();
      const [was, is] = [stateOf(from), stateOf(to!)];
      if (was === is) return;
      if (is === 'cancelled') expect(event.kind).toBe('cancel');
      if (is === 'done') expect(event.kind).toBe('complete');
      if (is === 'running') expect([was, event.kind]).toEqual(['queued', 'claim']);
      if (is === 'failed') {
        expect([was, event.kind, before.live!.attempts]).toEqual(['running', 'expire', MAX_ATTEMPTS - 1]);
      }
      if (is === 'queued') {
        expect(was === 'running' ? ['release', 'expire'] : ['submit']).toContain(event.kind);
      }
    });
  });

  test('the position never falls while the job lives', () => {
    always(BROKEN, ({ before, step }) => {
      const { live } = step.record;
      if (before.live && live) expect(live.position).toBeGreaterThanOrEqual(before.live.position);
      if (live) expect(live.position).toBeGreaterThanOrEqual(1);
      if (live) expect(live.position).toBeLessThan(FACTS.iterations);
    });
  });

  test('done is final: nothing changes but the time that it is kept, and that only grows', () => {
    always(BROKEN, ({ before, step }) => {
      if (before.result?.outcome !== 'done') return;
      const { expiresAt, ...result } = step.record.result!;
      const { expiresAt: expired, ...was } = before.result;
      expect(result).toEqual(was);
      expect(expiresAt).toBeGreaterThanOrEqual(expired);
      expect(step.record.live).toBeNull();
    });
  });

  test('there is at most one live job, of one owner, and never beside a done result', () => {
    always(BROKEN, ({ before, event, step }) => {
      const { live, result } = step.record;
      if (result?.outcome === 'done') expect(live).toBeNull();
      if (!live || live.owner === before.live?.owner) return;
      if (live.owner !== null) {
        expect(before.live?.owner).toBeNull();
        expect(event).toMatchObject({ kind: 'claim', worker: live.owner });
      }
    });
  });

  test('a digest never changes at a position', () => {
    always(BROKEN, ({ before, step }) => {
      const [was, is] = [before.live, step.record.live];
      if (was?.position === is?.position) expect(is?.digest).toBe(was?.digest);
    });
  });

  test('as long as nobody says anything wrong, every digest is right', () => {
    always(SOUND, ({ step }) => {
      const { live, result } = step.record;
      if (live) expect(live.digest).toBe(digestAt(live.position));
      if (result?.outcome === 'done') expect(result.digest).toBe(digestAt(FACTS.iterations));
      expect(step.answer).not.toBe('contradiction');
    });
  });

  test('a contradiction is said, and changes nothing', () => {
    always(BROKEN, ({ before, step }) => {
      if (step.answer === 'contradiction') expect(step.record).toEqual(before);
    });
  });

  test('what a job is, and since when, stays', () => {
    always(BROKEN, ({ before, step }) => {
      for (const each of [step.record.live, step.record.result]) if (each) expect(each).toMatchObject(FACTS);
      if (before.live && step.record.live) expect(step.record.live.createdAt).toBe(before.live.createdAt);
    });
  });

  test('a job that is put into a queue stands in the one of its cost', () => {
    always(BROKEN, ({ event, step, now }) => {
      const { live } = step.record;
      if (live?.owner !== null || live.queuedAt !== now || event.kind === 'checkpoint') return;
      expect(live.class).toBe(costClassOf(live.iterations - live.position));
    });
  });

  test('deaths are counted one by one, and forgotten with progress only', () => {
    always(BROKEN, ({ before, event, step }) => {
      const [was, is] = [before.live, step.record.live];
      if (!was || !is) return;
      if (event.kind === 'expire' && was.owner !== null) expect(is.attempts).toBe(was.attempts + 1);
      else expect(is.attempts).toBe(is.position > was.position ? 0 : was.attempts);
      expect(is.attempts).toBeLessThan(MAX_ATTEMPTS);
    });
  });

  test('every event may come twice: the second changes nothing', () => {
    always(BROKEN, ({ event, step, now }) => {
      const again = after(step.record, event, now);
      expect(again.record).toEqual(step.record);
    });
  });

  test('whatever has happened, the job can still be finished by somebody', () => {
    always(BROKEN, ({ step, now }) => {
      let { record } = after(step.record, { kind: 'submit', known: null }, now);
      if (record.live) {
        record = after(record, { kind: 'expire' }, now).record;
        record = after(record, { kind: 'submit', known: null }, now).record;
        record = after(record, { kind: 'claim', worker: 'w1' }, now).record;
        expect(record.live).toMatchObject({ owner: 'w1' });
      }
      const finish: Event = { kind: 'complete', worker: 'w1', digest: digestAt(FACTS.iterations) };
      expect(after(record, finish, now).record.result).toMatchObject({ outcome: 'done' });
    });
  });
});
