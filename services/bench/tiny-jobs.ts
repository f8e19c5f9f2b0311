import { Client, until } from '../../e2e/lib/client.ts';
import { submitAll, type Many } from '../../e2e/lib/submit-all.ts';

const IN_FLIGHT = 2;
const DRAIN_MS = 120_000;
/** Asking costs the servers something, too. */
const ASK_EVERY_MS = 200;

/** Jobs that are new each time. */
function newJobs(count: number, iterations: number): Many {
  const nonce = `${Date.now()} ${Math.random()}`;
  return { count, iterations, inFlight: IN_FLIGHT, data: (number) => `${nonce} ${number}` };
}

/**
 * 50,000 jobs of one iteration in NDJSON batches.
 * @returns jobs per second from the first byte to the last answer, every one of them finished and on disk
 */
export async function tinyJobs(urls: readonly string[]): Promise<number> {
  const count = 50_000;
  const start = performance.now();
  await submitAll(urls, { ...newJobs(count, 1), state: 'done' });
  return (count * 1_000) / (performance.now() - start);
}

/**
 * Jobs that workers have to do, in NDJSON batches.
 * @returns jobs per second from the first byte until none is queued or running any more; a sample is looked at
 */
export async function workerJobs(
  urls: readonly string[],
  count: number,
  iterations: number,
): Promise<number> {
  const client = new Client(urls[0]!);
  const start = performance.now();
  const ids = await submitAll(urls, newJobs(count, iterations));
  const isDone = async (): Promise<boolean> => {
    const { running, queued } = (await client.cluster()).backlog;
    return running === 0 && queued.every(({ jobs }) => jobs === 0);
  };
  await until('all jobs are done', DRAIN_MS, isDone, ASK_EVERY_MS);
  const rate = (count * 1_000) / (performance.now() - start);
  for (let i = 0; i < count; i += 1_000) {
    const job = await client.get(ids[i]!);
    if (job.state !== 'done') throw new Error(`Job ${job.id} is ${job.state}`);
  }
  return rate;
}
