import fc from 'fast-check';
import type { CostClass, JobFacts } from '../jobs/job.ts';
import * as kit from './job-store-conformance-kit.ts';

/** Few ids, tenants and workers, so that random events meet. */
export const HISTORY_JOBS: readonly JobFacts[] = ['a', 'b'].flatMap((tenant) =>
  ['chain 1', 'chain 2'].flatMap((name) =>
    [1, 900, 40_000, 250_000, 30_000_000].map((iterations) => kit.job(name, iterations, tenant)),
  ),
);
export const HISTORY_WORKERS: readonly string[] = ['w1', 'w2', 'w3'];

/** Where a worker says that a job stands: a share of its iterations, and whether its hardware works. */
export interface Report {
  readonly facts: JobFacts;
  readonly share: number;
  readonly right: boolean;
}

/** One thing that somebody does to the store. */
export type Event =
  | {
      readonly kind: 'submit';
      readonly batch: readonly { readonly facts: JobFacts; readonly digest: 'none' | 'right' | 'wrong' }[];
    }
  | { readonly kind: 'claimIds'; readonly worker: string; readonly batch: readonly JobFacts[] }
  | {
      readonly kind: 'claimOldest';
      readonly worker: string;
      readonly class: CostClass;
      readonly limit: number;
    }
  | { readonly kind: 'checkpoint' | 'release'; readonly worker: string; readonly batch: readonly Report[] }
  | {
      readonly kind: 'complete';
      readonly worker: string;
      readonly batch: readonly { readonly facts: JobFacts; readonly right: boolean }[];
    }
  | { readonly kind: 'renew'; readonly worker: string; readonly leaseMs: number }
  | { readonly kind: 'sweep'; readonly forgottenAfterMs: number }
  | { readonly kind: 'cancel'; readonly tenant: string; readonly batch: readonly JobFacts[] }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'reopen' };

const facts = fc.constantFrom(...HISTORY_JOBS);
const worker = fc.constantFrom(...HISTORY_WORKERS);
const mostlyRight = fc.integer({ min: 0, max: 9 }).map((number) => number > 0);
const report: fc.Arbitrary<Report> = fc.record({
  facts,
  share: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
  right: mostlyRight,
});

function batchOf<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength: 4 });
}

const submission = fc.record({
  facts,
  digest: fc.constantFrom(
    'none' as const,
    'none' as const,
    'none' as const,
    'right' as const,
    'wrong' as const,
  ),
});

const EVERYDAY: readonly fc.Arbitrary<Event>[] = [
  fc.record({ kind: fc.constant('submit' as const), batch: batchOf(submission) }),
  fc.record({ kind: fc.constant('claimIds' as const), worker, batch: batchOf(facts) }),
  fc.record({
    kind: fc.constant('claimOldest' as const),
    worker,
    class: fc.constantFrom<CostClass>(0, 1, 2),
    limit: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constantFrom('checkpoint' as const, 'release' as const),
    worker,
    batch: batchOf(report),
  }),
  fc.record({
    kind: fc.constant('complete' as const),
    worker,
    batch: batchOf(fc.record({ facts, right: mostlyRight })),
  }),
  fc.record({
    kind: fc.constant('renew' as const),
    worker,
    leaseMs: fc.constantFrom(0, 0, 10_000, kit.DAY_MS),
  }),
  fc.record({ kind: fc.constant('sweep' as const), forgottenAfterMs: fc.constantFrom(0, 5_000, kit.DAY_MS) }),
  fc.record({
    kind: fc.constant('cancel' as const),
    tenant: fc.constantFrom('a', 'b'),
    batch: batchOf(facts),
  }),
];

/** Days pass rarely, so that results are used, prolonged and forgotten within one history. */
const TIME = fc.record({
  kind: fc.constant('advance' as const),
  ms: fc.constantFrom(1, 1, 100, 5_001, 10_000, 2 * kit.DAY_MS, 16 * kit.DAY_MS),
});

/** Random histories of what this adapter can be made to do. Crashes are rare: they are slow. */
export function historyArbitrary({ time, reopen }: kit.StoreAbilities): fc.Arbitrary<Event[]> {
  const everyday = [...EVERYDAY, ...(time ? [TIME] : [])].map((arbitrary) => ({ arbitrary, weight: 5 }));
  const crash = { arbitrary: fc.constant<Event>({ kind: 'reopen' }), weight: reopen ? 1 : 0 };
  return fc.array(fc.oneof(...everyday, crash), { minLength: 1, maxLength: 40, size: 'max' });
}
