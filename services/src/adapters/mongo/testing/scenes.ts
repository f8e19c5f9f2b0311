import { MAX_ATTEMPTS } from '../../../jobs/limits.ts';
import {
  checkpointOf,
  completionOf,
  computed,
  job,
  TENANT,
  WORKER,
} from '../../../ports/job-store-conformance-facts.ts';
import type { JobStore } from '../../../ports/job-store.ts';
import { claimJobs } from '../store/claim.ts';
import { completeBatch } from '../store/complete.ts';
import type { Context } from '../store/context.ts';
import { cancelBatch } from '../store/end.ts';
import { checkpointBatch, releaseBatch } from '../store/progress.ts';
import { submitBatch } from '../store/submit.ts';
import { Sweeper } from '../store/sweep.ts';

/** Things that happen to one job, to be broken off in the middle. */

/** The job. */
export const FACTS = job('a');
export const SWEEP = { forgottenAfterMs: 0, limit: 1_000 };
const point = checkpointOf(FACTS, 700);

export interface Scene {
  readonly what: string;
  readonly before: (store: JobStore) => Promise<unknown>;
  readonly act: (context: Context) => Promise<unknown>;
  /** What the job may be when the process ended in the middle and the sweep has been there. */
  readonly middle: readonly string[];
  /** What it is when the same was asked again. */
  readonly end: string;
}

const queued = (store: JobStore): Promise<unknown> => store.submit([FACTS]);
const running = async (store: JobStore): Promise<void> => {
  await store.submit([FACTS]);
  await store.claim(WORKER, { ids: [FACTS.id] });
};
const cancelled = async (store: JobStore): Promise<void> => {
  await store.submit([FACTS]);
  await store.cancel(TENANT, [FACTS.id]);
};
const almostFailed = async (store: JobStore): Promise<void> => {
  await store.submit([FACTS]);
  for (let death = 1; death < MAX_ATTEMPTS; death++) {
    await store.claim('ghost', { ids: [FACTS.id] });
    await store.sweep(SWEEP);
  }
  await store.claim('ghost', { ids: [FACTS.id] });
};
const submit = (context: Context): Promise<unknown> => submitBatch(context, [FACTS]);
const complete = (context: Context): Promise<unknown> => completeBatch(context, [completionOf(FACTS)]);

export const SCENES: readonly Scene[] = [
  {
    what: 'submit',
    before: async () => undefined,
    act: submit,
    middle: ['unknown', 'queued'],
    end: 'queued',
  },
  {
    what: 'submit with its digest',
    before: running,
    act: (context) => submitBatch(context, [computed(FACTS)]),
    middle: ['queued', 'done'],
    end: 'done',
  },
  {
    what: 'submit what was cancelled',
    before: cancelled,
    act: submit,
    middle: ['cancelled', 'queued'],
    end: 'queued',
  },
  {
    what: 'claim',
    before: queued,
    act: (context) => claimJobs(context, WORKER, { class: 0, limit: 1 }),
    middle: ['queued'],
    end: 'running',
  },
  {
    what: 'checkpoint',
    before: running,
    act: (context) => checkpointBatch(context, WORKER, [point]),
    middle: ['queued'],
    end: 'queued',
  },
  {
    what: 'release',
    before: running,
    act: (context) => releaseBatch(context, WORKER, [point]),
    middle: ['queued'],
    end: 'queued',
  },
  { what: 'complete', before: running, act: complete, middle: ['queued', 'done'], end: 'done' },
  {
    what: 'complete what was cancelled',
    before: cancelled,
    act: complete,
    middle: ['cancelled'],
    end: 'cancelled',
  },
  {
    what: 'cancel',
    before: running,
    act: (context) => cancelBatch(context, TENANT, [FACTS.id]),
    middle: ['queued', 'cancelled'],
    end: 'cancelled',
  },
  {
    what: 'requeue',
    before: running,
    act: (context) => new Sweeper().sweep(context, SWEEP),
    middle: ['queued'],
    end: 'queued',
  },
  {
    what: 'give up',
    before: almostFailed,
    act: (context) => new Sweeper().sweep(context, SWEEP),
    middle: ['failed'],
    end: 'failed',
  },
];
