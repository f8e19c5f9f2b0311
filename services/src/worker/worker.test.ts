import { afterEach, describe, expect, test } from '@jest/globals';
import { chainOf } from '../jobs/digest.ts';
import type { Alive } from '../jobs/messages.ts';
import type { Completion } from '../jobs/machine.ts';
import { StoreUnavailableError, type JobStore } from '../ports/job-store.ts';
import {
  digestOf,
  facts,
  isDone,
  LONG,
  ownerOf,
  positionOf,
  startWorkshop,
  storeWith,
  submit,
  until,
  viewOf,
} from './testing/kit.ts';

let close = (): Promise<void> => Promise.resolve();
afterEach(() => close());

async function setup() {
  const shop = await startWorkshop();
  ({ close } = shop);
  return shop;
}

describe('a worker', () => {
  test('does the jobs that it is told of, and tells when they are done', async () => {
    const { store, bus, startWorker } = await setup();
    const told: string[] = [];
    await bus.subscribe('results', { group: null, maxBatch: 10 }, ({ messages }) => {
      told.push(...messages.map(({ id }) => id));
      return Promise.resolve();
    });
    await startWorker({ pollMs: 1e6 });
    const jobs = [2, 100, 4_000, 30_000].map((iterations) => facts(`told ${iterations}`, iterations));
    await submit(store, bus, jobs);
    await until(() => Promise.resolve(told.length === jobs.length));
    for (const job of jobs) {
      const result = {
        outcome: 'done',
        digest: digestOf(job),
        computed: job.iterations - 1,
        worker: 'worker-1',
      };
      expect(await viewOf(store, job)).toMatchObject({ kind: 'result', result });
    }
  });

  test('finds jobs of which the message got lost', async () => {
    const { store, bus, startWorker } = await setup();
    const [before, after] = [facts('before', 3_000), facts('after', 3_000)];
    await submit(store, bus, [before], false);
    await startWorker();
    await submit(store, bus, [after], false);
    await until(async () => (await isDone(store, before)) && (await isDone(store, after)));
  });

  test('writes checkpoints while it works', async () => {
    const { store, bus, startWorker } = await setup();
    await startWorker();
    const job = facts('long', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
  });

  test('says with its last message that it has left, when it has given everything back', async () => {
    const { store, bus, startWorker } = await setup();
    const heard: Alive[] = [];
    await bus.subscribe('alive', { group: null, maxBatch: 10 }, ({ messages }) => {
      heard.push(...messages);
      return Promise.resolve();
    });
    const worker = await startWorker();
    const job = facts('left behind', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
    await worker.stop();
    await until(() => Promise.resolve(heard.at(-1)?.left === true));
    expect(heard.at(-1)).toMatchObject({ draining: true, jobs: 0 });
    expect(heard.slice(0, -1).some(({ left }) => left)).toBe(false);
  });

  test('gives its jobs back when it is stopped, and another goes on from there', async () => {
    const { store, bus, startWorker } = await setup();
    const first = await startWorker();
    const job = facts('handed over', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
    await first.stop();
    await first.stop();
    const position = await positionOf(store, job);
    expect(await ownerOf(store, job)).toBeNull();
    await startWorker();
    await until(async () => (await positionOf(store, job)) > position);
    expect(await ownerOf(store, job)).toBe('worker-2');
  });

  test('drops a job that is cancelled, at once', async () => {
    const { store, bus, startWorker } = await setup();
    await startWorker({ renewMs: 1e6 });
    const jobs = [facts('cancelled', LONG), facts('kept', LONG)] as const;
    await submit(store, bus, jobs);
    await until(async () => (await ownerOf(store, jobs[0])) === 'worker-1');
    await store.cancel('default', [jobs[0].id]);
    await bus.publish('control', [{ kind: 'cancel', id: jobs[0].id }]);
    let held = 2;
    await bus.subscribe('alive', { group: null, maxBatch: 1 }, ({ messages }) => {
      held = messages[0]!.jobs;
      return Promise.resolve();
    });
    await until(() => Promise.resolve(held === 1));
    expect(await viewOf(store, jobs[0])).toMatchObject({ result: { outcome: 'cancelled' } });
  });

  test('shares its jobs with a worker that joins', async () => {
    const { store, bus, startWorker } = await setup();
    // One that takes everything, whatever it holds already.
    await startWorker({ holdSeconds: Infinity });
    const jobs = Array.from({ length: 12 }, (_, i) => facts(`shared ${i}`, LONG));
    await submit(store, bus, jobs);
    const owners = async (): Promise<(string | null)[]> =>
      Promise.all(jobs.map((job) => ownerOf(store, job)));
    await until(async () => (await owners()).every((owner) => owner === 'worker-1'));
    await startWorker();
    await until(async () => (await owners()).filter((owner) => owner === 'worker-2').length >= 2);
  });

  test('finds jobs that it owns without knowing, when the answer to a claim got lost', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 1;
    const forgetful = storeWith(store, {
      claim: async (...args: Parameters<JobStore['claim']>) => {
        const jobs = await store.claim(...args);
        if (jobs.length > 0 && failures-- > 0) throw new StoreUnavailableError('the answer got lost');
        return jobs;
      },
    });
    const job = facts('lost claim', 5_000);
    await submit(store, bus, [job], false);
    await startWorker({}, { store: forgetful });
    await until(() => isDone(store, job));
    expect(failures).toBeLessThan(1);
  });

  test('does not take a job for its own that ended while the store was asked what it owns', async () => {
    const { store, bus, logger, startWorker } = await setup();
    const job = facts('ends meanwhile', 2_000_000);
    let asked = 0;
    const slow = storeWith(store, {
      owned: async (worker) => {
        const jobs = await store.owned(worker);
        if (jobs.length > 0) await until(() => isDone(store, job));
        if (asked > 0 || jobs.length > 0) asked++;
        return jobs;
      },
    });
    await startWorker({}, { store: slow });
    await submit(store, bus, [job]);
    await until(() => Promise.resolve(asked > 1));
    expect(logger.records.filter(({ message }) => message === 'Job claimed')).toHaveLength(1);
  });

  test('keeps results while the store is away, and writes them when it is back', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 3;
    const flaky = storeWith(store, {
      complete: (...args: Parameters<JobStore['complete']>) =>
        failures-- > 0 ? Promise.reject(new StoreUnavailableError('away')) : store.complete(...args),
    });
    await startWorker({}, { store: flaky });
    const job = facts('late', 5_000);
    await submit(store, bus, [job]);
    await until(() => isDone(store, job));
    expect(failures).toBe(-1);
  });

  test('raises an alarm when its digest contradicts the stored one, which stays', async () => {
    const { store, bus, logger, startWorker } = await setup();
    const wrong = chainOf('a bit has flipped');
    const beaten = storeWith(store, {
      complete: async (batch: readonly Completion[]) => {
        await store.complete(batch.map((completion) => ({ ...completion, digest: wrong })));
        return store.complete(batch);
      },
    });
    await startWorker({}, { store: beaten });
    const job = facts('contradicted', 5_000);
    await submit(store, bus, [job]);
    const alarm = { level: 'error', fields: { job: job.id, position: 5_000 } };
    await until(() => Promise.resolve(logger.records.some(({ level }) => level === 'error')));
    expect(logger.records.find(({ level }) => level === 'error')).toMatchObject(alarm);
    expect(await viewOf(store, job)).toMatchObject({ result: { digest: wrong } });
  });
});
