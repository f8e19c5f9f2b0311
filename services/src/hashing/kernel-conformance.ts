import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { Digest } from '../jobs/job.ts';
import { CHUNK_STEPS } from './kernel.ts';
import type { Kernel, LaneBatch } from './kernel.ts';
import { CHAINS } from './vectors.ts';

/** A budget that no test uses up. */
const AMPLE_MS = 600_000;

/** A chain to run: where it starts, and how many iterations it wants. */
interface Chain {
  readonly start: Digest;
  readonly remaining: number;
}

/**
 * What every kernel must do. Where `make` gives null, one skipped test says why: nothing that did not run passes.
 * @param make a kernel, or null where this machine cannot run it.
 * @param needs what it takes to run it, for the name of the skipped test
 */
export function describeKernel(title: string, make: () => Kernel | null, needs = 'another machine'): void {
  const kernel = make();
  if (kernel === null) {
    // Jest shows the names of skipped tests only when asked.
    const name = `${title} (needs ${needs.replaceAll(/[()]/g, '')})`;
    process.stderr.write(`SKIPPED ${name}\n`);
    test.skip(name, () => undefined);
    return;
  }
  describe(title, () => {
    describeDigests(kernel);
    describeLanes(kernel);
    describeCounts(kernel);
    describeStopping(kernel);
    describeProperties(kernel);
  });
}

function describeDigests(kernel: Kernel): void {
  const cases = CHAINS.flatMap(({ name, start, after }) =>
    after.map(([iterations, digest]) => ({ name, start, iterations, digest })),
  );
  test.each(cases)(
    '$iterations iterations from $name give what Python gives',
    ({ start, iterations, digest }) => {
      const { digests, done } = runAll(kernel, [{ start, remaining: iterations }]);
      expect(digests).toEqual([digest]);
      expect(done).toBe(iterations);
    },
  );
}

function describeLanes(kernel: Kernel): void {
  const lanes = Array.from({ length: kernel.lanes }, (_, lane) => lane);

  test.each(lanes)('lane %d gives what Python gives while other chains fill the others', (lane) => {
    const [vector] = CHAINS;
    const [iterations, digest] = vector!.after[3]!;
    const chains = lanes.map((i) => ({ start: seed(i), remaining: iterations }));
    chains[lane] = { start: vector!.start, remaining: iterations };
    expect(runAll(kernel, chains).digests[lane]).toBe(digest);
  });

  test.each(lanes.map((lane) => lane + 1))('%d live lanes give what node:crypto gives', (live) => {
    const chains = lanes.slice(0, live).map((i) => ({ start: seed(i), remaining: 50 }));
    expect(runAll(kernel, chains).digests).toEqual(chains.map(oracle));
  });

  test('a lane that finishes takes the next chain, however unequal they are', () => {
    const counts = [1, 300, 2, 0, 17, 1, 1, 90, 5, 0, 0, 33, 2, 700, 8, 64, 3, 1, 250, 19, 4, 41, 6];
    const chains = counts.map((remaining, i) => ({ start: seed(i), remaining }));
    const { digests, remaining, done } = runAll(kernel, chains);
    expect(digests).toEqual(chains.map(oracle));
    expect(remaining).toEqual(counts.map(() => 0));
    expect(done).toBe(counts.reduce((sum, count) => sum + count));
  });

  test('chains that end together, one step apart and one lane apart are all right', () => {
    const chains = Array.from({ length: 4 * kernel.lanes }, (_, i) => ({
      start: seed(i),
      remaining: 10 + (i % (kernel.lanes + 1)),
    }));
    expect(runAll(kernel, chains).digests).toEqual(chains.map(oracle));
  });
}

function describeCounts(kernel: Kernel): void {
  test('a chain with nothing left stays as it is, and counts for nothing', () => {
    const { digests, done } = runAll(kernel, [{ start: seed(1), remaining: 0 }]);
    expect(digests).toEqual([seed(1)]);
    expect(done).toBe(0);
  });

  test('no chains at all are done at once', () => {
    expect(runAll(kernel, []).done).toBe(0);
  });

  test('only the chains that the order names are touched, and only as many entries as count', () => {
    const chains = Array.from({ length: 3 * kernel.lanes + 5 }, (_, i) => ({
      start: seed(i),
      remaining: 5 + i,
    }));
    const batch = batchOf(chains);
    const named = [chains.length - 1, 2, 0];
    batch.order.set([...named, 1, 3]);
    const done = kernel.run({ ...batch, count: named.length }, AMPLE_MS, quiet());
    chains.forEach((chain, i) => {
      expect(digestAt(batch, i)).toBe(named.includes(i) ? oracle(chain) : chain.start);
      expect(batch.remaining[i]).toBe(named.includes(i) ? 0 : chain.remaining);
    });
    expect(done).toBe(named.reduce((sum, i) => sum + chains[i]!.remaining, 0));
  });

  test('digests may begin anywhere in the memory that they are in', () => {
    const chains = [7, 3, 9].map((remaining, i) => ({ start: seed(i), remaining }));
    const batch = batchOf(chains);
    const odd = new Uint8Array(new SharedArrayBuffer(batch.digests.length + 11), 3, batch.digests.length);
    odd.set(batch.digests);
    kernel.run({ ...batch, digests: odd }, AMPLE_MS, quiet());
    expect(chains.map((_, i) => digestAt({ digests: odd }, i))).toEqual(chains.map(oracle));
  });
}

function describeStopping(kernel: Kernel): void {
  const most = kernel.lanes * CHUNK_STEPS;
  const long = (): Chain[] =>
    Array.from({ length: kernel.lanes + 1 }, (_, i) => ({ start: seed(i), remaining: 2 * CHUNK_STEPS + i }));

  test.each([
    ['without a budget', 0, 0],
    ['when attention is asked for before it begins', AMPLE_MS, 1],
  ])('%s it does one chunk, no more, and what it did is exact', (_, budgetMs, attention) => {
    const chains = long();
    const batch = batchOf(chains);
    const done = kernel.run(batch, budgetMs, Int32Array.of(attention));
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThanOrEqual(most);
    expectExact(batch, chains, done);
  });

  test('without a budget, calls that follow each other come to the end', () => {
    const chains = long();
    const batch = batchOf(chains);
    let done = 0;
    for (let calls = 0; calls < 1_000 && batch.remaining.some((left) => left > 0); calls++) {
      done += kernel.run(batch, 0, quiet());
    }
    expect(done).toBe(chains.reduce((sum, { remaining }) => sum + remaining, 0));
    expectExact(batch, chains, done);
  });

  test('attention is left as it was', () => {
    const attention = Int32Array.of(7);
    kernel.run(batchOf(long()), 0, attention);
    expect(attention[0]).toBe(7);
  });

  describe('while another thread watches', () => {
    // [0] is the kernel's attention; [1] tells the other thread to ask for it.
    const flags = new Int32Array(new SharedArrayBuffer(8));
    let other: Worker;

    beforeAll(async () => {
      const script =
        "const { workerData, parentPort } = require('node:worker_threads'); parentPort.postMessage('ready');" +
        'Atomics.wait(workerData, 1, 0); Atomics.store(workerData, 0, 1);';
      other = new Worker(script, { eval: true, workerData: flags });
      await new Promise((resolve) => other.once('message', resolve));
    });

    afterAll(async () => {
      await other.terminate();
    });

    test('it stops when that thread asks for attention, and what it did is exact', () => {
      const chain = { start: seed(1), remaining: 20_000_000 };
      const batch = batchOf([chain]);
      Atomics.store(flags, 1, 1);
      Atomics.notify(flags, 1);
      const done = kernel.run(batch, AMPLE_MS, flags);
      expect(batch.remaining[0]).toBeGreaterThan(0);
      expectExact(batch, [chain], done);
    });
  });
}

function describeProperties(kernel: Kernel): void {
  const chain = fc.record({
    start: fc.oneof(
      fc.uint8Array({ minLength: DIGEST_BYTES, maxLength: DIGEST_BYTES }).map(hex),
      fc.constantFrom(...CHAINS.map(({ start }) => start)),
    ),
    remaining: fc.oneof(fc.nat(22), fc.nat(200)),
  });
  const chains = fc.array(chain, { maxLength: 3 * kernel.lanes + 2 });

  test('any chains give what node:crypto gives', () => {
    fc.assert(
      fc.property(chains, (some) => {
        const { digests, remaining, done } = runAll(kernel, some);
        expect(digests).toEqual(some.map(oracle));
        expect(remaining).toEqual(some.map(() => 0));
        expect(done).toBe(some.reduce((sum, one) => sum + one.remaining, 0));
      }),
      { numRuns: 200 },
    );
  });

  test('it makes no difference where a run is split', () => {
    fc.assert(
      fc.property(chains, fc.array(fc.nat(200)), (some, splits) => {
        const batch = batchOf(some);
        const first = some.map(({ remaining }, i) => Math.min(remaining, splits[i] ?? 0));
        batch.remaining.set(first);
        kernel.run(batch, AMPLE_MS, quiet());
        batch.remaining.set(some.map(({ remaining }, i) => remaining - first[i]!));
        kernel.run(batch, AMPLE_MS, quiet());
        expect(some.map((_, i) => digestAt(batch, i))).toEqual(runAll(kernel, some).digests);
      }),
      { numRuns: 100 },
    );
  });
}

/** That every chain is as far as it says, and all of them together as far as was returned. */
function expectExact(batch: LaneBatch, chains: readonly Chain[], done: number): void {
  const progress = chains.map(({ remaining }, i) => remaining - batch.remaining[i]!);
  expect(progress.reduce((sum, steps) => sum + steps, 0)).toBe(done);
  chains.forEach(({ start }, i) => {
    expect(digestAt(batch, i)).toBe(oracle({ start, remaining: progress[i]! }));
  });
}

function runAll(
  kernel: Kernel,
  chains: readonly Chain[],
): { digests: Digest[]; remaining: number[]; done: number } {
  const batch = batchOf(chains);
  const done = kernel.run(batch, AMPLE_MS, quiet());
  return { digests: chains.map((_, i) => digestAt(batch, i)), remaining: [...batch.remaining], done };
}

/** In shared memory, as engines have it. */
function batchOf(chains: readonly Chain[]): LaneBatch {
  const digests = new Uint8Array(new SharedArrayBuffer(chains.length * DIGEST_BYTES));
  digests.set(Buffer.from(chains.map(({ start }) => start).join(''), 'hex'));
  const remaining = new Float64Array(new SharedArrayBuffer(8 * chains.length));
  remaining.set(chains.map((chain) => chain.remaining));
  return { digests, remaining, order: Uint32Array.from(chains.keys()), count: chains.length };
}

function digestAt({ digests }: Pick<LaneBatch, 'digests'>, chain: number): Digest {
  return hex(digests.slice(chain * DIGEST_BYTES, (chain + 1) * DIGEST_BYTES));
}

function oracle({ start, remaining }: Chain): Digest {
  let digest: Uint8Array = Buffer.from(start, 'hex');
  for (let i = 0; i < remaining; i++) digest = hash('sha512', digest, 'buffer');
  return hex(digest);
}

function quiet(): Int32Array {
  return new Int32Array(1);
}

function seed(i: number): Digest {
  return hash('sha512', `chain ${i}`);
}

function hex(bytes: Uint8Array): Digest {
  return Buffer.from(bytes).toString('hex');
}
