import { Client } from '../../e2e/lib/client.ts';
import type { Service } from '../../e2e/lib/service.ts';
import { percentile, rounded } from '../../e2e/lib/statistics.ts';
import { SLICE_MS } from '../src/hashing/engine-pool.ts';
import { iterateAlone } from './one-chain.ts';

const LONG_JOBS = 256;
const LONG_ITERATIONS = 1_000_000_000;
const SHORT_JOBS = 500;

/**
 * Short jobs one at a time while every lane is busy for hours.
 * @returns p99 in slices, less the time that the job's own hashing takes on a machine that does nothing else
 */
export async function latencyUnderLoad(service: Service): Promise<Record<string, number>> {
  const client = new Client(service.url);
  const nonce = Date.now();
  const alone = iterateAlone(50_000);
  const long = Array.from({ length: LONG_JOBS }, (_, i) => ({
    data: `long ${nonce} ${i}`,
    iterations: LONG_ITERATIONS,
  }));
  const held = await client.submitMany(long);
  try {
    const ratios: Record<string, number> = {};
    for (const iterations of [1_000, 50_000]) {
      const times = await submitOneByOne(client, `short ${nonce}`, iterations);
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
      const own = (alone * iterations) / 50_000;
      console.log(
        `${iterations} iterations under load: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, own ${own.toFixed(1)} ms`,
      );
      ratios[`p99Slices${iterations}`] = rounded((p99 - own) / SLICE_MS);
    }
    return ratios;
  } finally {
    for (const { job } of held) if (job) await client.cancel(job.id);
  }
}

/** Milliseconds from each submit to its result. */
export async function submitOneByOne(client: Client, name: string, iterations: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < SHORT_JOBS; i++) {
    const start = performance.now();
    const job = await client.submit({ data: `${name} ${iterations} ${i}`, iterations }, 60);
    times.push(performance.now() - start);
    if (job.state !== 'done') throw new Error(`Job ${job.id} is ${job.state}`);
  }
  return times;
}
