import { afterEach, describe, expect, test } from '@jest/globals';
import { BusUnavailableError, type Bus } from '../ports/bus.ts';
import { StoreUnavailableError } from '../ports/job-store.ts';
import {
  facts,
  isDone,
  LONG,
  ownerOf,
  positionOf,
  startWorkshop,
  storeWith,
  submit,
  until,
} from './testing/kit.ts';
import type { Worker } from './worker.ts';

let close = (): Promise<void> => Promise.resolve();
afterEach(() => close());

async function setup() {
  const shop = await startWorkshop();
  ({ close } = shop);
  return shop;
}

const away = (): Promise<never> => Promise.reject(new StoreUnavailableError('away'));
const forever = new Promise<never>(() => undefined);

/** A bus that takes nothing and gives nothing: it refuses, or does not even answer. */
function deadBus(answer: () => Promise<never>): Bus {
  return {
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    publish: answer,
    subscribe: answer,
    trouble: () => 'away',
  };
}

const DEAD: readonly (readonly [string, () => Promise<never>])[] = [
  ['that refuses', () => Promise.reject(new BusUnavailableError('away'))],
  ['that does not answer', () => forever],
];

describe.each(DEAD)('a worker with a bus %s', (_name, answer) => {
  test('does all that is queued, more than it takes in one go', async () => {
    const { store, bus, startWorker } = await setup();
    const jobs = Array.from({ length: 600 }, (_, i) => facts(`without a bus ${i}`, 200));
    await submit(store, bus, jobs, false);
    await startWorker({ pollMs: 1e6 }, { bus: deadBus(answer) });
    await until(async () => (await Promise.all(jobs.map((job) => isDone(store, job)))).every(Boolean));
  });

  test('gives its jobs back when it is stopped', async () => {
    const { store, bus, startWorker } = await setup();
    const worker = await startWorker({}, { bus: deadBus(answer) });
    const job = facts('given back without a bus', LONG);
    await submit(store, bus, [job], false);
    await until(async () => (await positionOf(store, job)) > 1);
    await worker.stop();
    expect(await ownerOf(store, job)).toBeNull();
  });
});

describe('a worker', () => {
  test('hears the bus when it comes at last', async () => {
    const { store, bus, startWorker } = await setup();
    let refusals = 12;
    const late: Bus = {
      ...deadBus(() => forever),
      publish: (...given) => bus.publish(...given),
      subscribe: (...given) =>
        refusals-- > 0 ? Promise.reject(new BusUnavailableError('away')) : bus.subscribe(...given),
      trouble: () => null,
    };
    await startWorker({ pollMs: 1e6 }, { bus: late });
    await until(() => Promise.resolve(refusals <= -6));
    const job = facts('told late', 3_000);
    await submit(store, bus, [job]);
    await until(() => isDone(store, job));
  });

  test('starts although the store is away at first', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 2;
    const flaky = storeWith(store, {
      renew: (...given) => (failures-- > 0 ? away() : store.renew(...given)),
    });
    await startWorker({}, { store: flaky });
    const job = facts('after a bad start', 3_000);
    await submit(store, bus, [job]);
    await until(() => isDone(store, job));
    expect(failures).toBeLessThan(0);
  });

  test('that is stopped while it waits for its first lease ends', async () => {
    const { store, startWorker } = await setup();
    const waiting = startWorker({ id: 'early' }, { store: storeWith(store, { renew: away }) });
    waiting.catch(() => undefined);
    await close();
    await expect(waiting).rejects.toThrow('the worker stops');
  });

  test('gives jobs back as soon as the store takes them, while it drains', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 2;
    const flaky = storeWith(store, {
      release: (...given) => (failures-- > 0 ? away() : store.release(...given)),
    });
    const worker = await startWorker({}, { store: flaky });
    const job = facts('given back late', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
    await worker.stop();
    expect(failures).toBeLessThan(0);
    expect(await ownerOf(store, job)).toBeNull();
  });

  test('does not drain for longer than it may, when the store stays away', async () => {
    const { store, bus, startWorker } = await setup();
    let gone = false;
    const leaving = storeWith(store, {
      release: (...given) => (gone ? away() : store.release(...given)),
    });
    const worker = await startWorker({ drainMs: 200 }, { store: leaving });
    const job = facts('not given back', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await ownerOf(store, job)) !== null);
    gone = true;
    await worker.stop();
    expect(await ownerOf(store, job)).toBe('worker-1');
  });

  test('keeps a job that it could not give back to share it', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 1;
    const flaky = storeWith(store, {
      release: (...given) => (failures-- > 0 ? away() : store.release(...given)),
    });
    await startWorker({ holdSeconds: Infinity }, { store: flaky });
    const jobs = Array.from({ length: 12 }, (_, i) => facts(`hardly shared ${i}`, LONG));
    const owners = (): Promise<(string | null)[]> => Promise.all(jobs.map((job) => ownerOf(store, job)));
    await submit(store, bus, jobs);
    await until(async () => (await owners()).every((owner) => owner === 'worker-1'));
    await startWorker();
    await until(async () => (await owners()).filter((owner) => owner === 'worker-2').length >= 2);
    expect(failures).toBeLessThan(1);
    // None is left that worker 1 owns and has forgotten.
    const held = new Map<string, number>();
    await bus.subscribe('alive', { group: null, maxBatch: 1 }, ({ messages }) => {
      held.set(messages[0]!.worker, messages[0]!.jobs);
      return Promise.resolve();
    });
    const sum = (): number => [...held.values()].reduce((a, b) => a + b, 0);
    await until(() => Promise.resolve(sum() === jobs.length));
  });

  test('drops what is no longer its own after its lease has lapsed', async () => {
    const { store, bus, logger, startWorker } = await setup();
    let frozen = false;
    const lapsing = storeWith(store, {
      renew: (...given) => (frozen ? away() : store.renew(...given)),
      checkpoint: (...given) => (frozen ? away() : store.checkpoint(...given)),
    });
    await startWorker({ leaseMs: 150, renewMs: 20, pollMs: 1e6 }, { store: lapsing });
    const job = facts('lapsed', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
    frozen = true;
    await until(async () => (await store.sweep({ forgottenAfterMs: 1e9, limit: 10 })).requeued.length > 0);
    await store.renew('another', 60_000);
    await store.claim('another', { ids: [job.id] });
    frozen = false;
    await until(() =>
      Promise.resolve(logger.records.some(({ message }) => message === 'Jobs are no longer ours')),
    );
    expect(await ownerOf(store, job)).toBe('another');
  });

  test('takes each job once that a claim answers twice, and hashes all of them', async () => {
    const { store, startWorker } = await setup();
    const jobs = ['a', 'b', 'c', 'd'].map((name) => facts(name, 3_000));
    await store.submit(jobs);
    const repeating = storeWith(store, {
      claim: async (...given) => {
        const claimed = await store.claim(...given);
        return [...claimed, ...claimed.slice(0, 1)];
      },
    });
    await startWorker({}, { store: repeating });
    await until(async () => (await Promise.all(jobs.map((job) => isDone(store, job)))).every(Boolean));
  });

  test('gives a job back that it cannot hash, and hashes the others', async () => {
    const { store, logger, startWorker } = await setup();
    const jobs = ['a', 'b', 'c', 'd'].map((name) => facts(name, 3_000));
    await store.submit(jobs);
    let isBroken = true;
    const broken = storeWith(store, {
      claim: async (...given) => {
        const claimed = await store.claim(...given);
        if (!isBroken || claimed.length < 2) return claimed;
        isBroken = false;
        return claimed.map((job, i) => (i === 1 ? { ...job, iterations: 2 ** 60 } : job));
      },
    });
    await startWorker({}, { store: broken });
    // The one that was refused is claimed once more, as it is.
    await until(async () => (await Promise.all(jobs.map((job) => isDone(store, job)))).every(Boolean));
    expect(isBroken).toBe(false);
    expect(logger.lines).toContain('error A job cannot be hashed, and is given back');
  });

  test('does not rely on a claim that is answered after its lease has ended', async () => {
    const { store, bus, startWorker } = await setup();
    const job = facts('claimed too late', LONG);
    let frozen = false;
    let late = false;
    let worker: Worker | null = null;
    const lapsing = storeWith(store, {
      renew: (...given) => (frozen ? away() : store.renew(...given)),
      claim: async (...given) => {
        const claimed = await store.claim(...given);
        if (claimed.length === 0 || late) return claimed;
        frozen = true;
        late = true;
        await until(async () => /lease/.test(worker?.trouble() ?? ''));
        return claimed;
      },
      // It would find the job while the claim waits for its answer.
      owned: async () => [],
    });
    worker = await startWorker({ leaseMs: 2_000, renewMs: 20 }, { store: lapsing });
    await submit(store, bus, [job]);
    await until(async () => late && (await ownerOf(store, job)) === null);
    expect(await positionOf(store, job)).toBe(1);
    frozen = false;
    await until(async () => (await positionOf(store, job)) > 1);
  });

  test('claims nothing while it has no valid lease', async () => {
    const { store, bus, startWorker } = await setup();
    let frozen = false;
    let claims = 0;
    const lapsing = storeWith(store, {
      renew: (...given) => (frozen ? away() : store.renew(...given)),
      claim: (...given) => {
        claims++;
        return store.claim(...given);
      },
    });
    await startWorker({ leaseMs: 2_000, renewMs: 20, pollMs: 20 }, { store: lapsing });
    let offers: number[] = [];
    await bus.subscribe('alive', { group: null, maxBatch: 1 }, async ({ messages }) => {
      offers.push(messages[0]!.freeLanes);
    });
    frozen = true;
    await until(async () => offers.at(-1) === 0);
    const before = claims;
    const job = facts('not claimed', 3_000);
    await submit(store, bus, [job]);
    offers = [];
    await until(async () => offers.length >= 4);
    expect(claims).toBe(before);
    frozen = false;
    await until(() => isDone(store, job));
  });

  test('whose results are not stored says so, claims nothing more, and ends', async () => {
    const { store, bus, logger, startWorker } = await setup();
    const faults: Error[] = [];
    let isStuck = true;
    const stuck = storeWith(store, {
      complete: (...given) => (isStuck ? away() : store.complete(...given)),
    });
    const onFault = (error: Error): void => void faults.push(error);
    const worker = await startWorker({ leaseMs: 1_000, renewMs: 20, pollMs: 20 }, { store: stuck, onFault });
    await submit(store, bus, [facts('not written', 3_000)]);
    await until(async () => /Results have waited/.test(worker.trouble() ?? ''));
    const job = facts('not claimed', 3_000);
    await submit(store, bus, [job]);
    await until(async () => faults.length > 0);
    expect(faults[0]!.message).toMatch(/1 results could not be stored/);
    expect(await ownerOf(store, job)).toBeNull();
    const told = logger.lines.filter((line) => line === 'warn Results wait for the store');
    // The first attempt, and of the others each tenth.
    expect(told.length).toBeLessThan(5);
    isStuck = false;
    await until(() => isDone(store, job));
    expect(faults).toHaveLength(1);
    expect(worker.trouble()).toBeNull();
  });
});
