import { Client, until, type Item } from '../../e2e/lib/client.ts';

const BATCH = 5_000;
const IN_FLIGHT = 2;
const DRAIN_MS = 120_000;
/** Asking costs the servers something, too. */
const ASK_EVERY_MS = 200;

/** So many jobs in NDJSON batches, at all of these addresses in turn. Rejects when one is refused. */
async function submitAll(
  urls: readonly string[],
  jobs: { readonly count: number; readonly iterations: number; readonly state?: 'done' },
): Promise<string[]> {
  const { count, iterations, state } = jobs;
  const clients = urls.map((url) => new Client(url));
  const nonce = `${Date.now()} ${Math.random()}`;
  const batches = Array.from({ length: count / BATCH }, (_, b) =>
    Array.from({ length: BATCH }, (_, i): Item => ({ data: `${nonce} ${b} ${i}`, iterations })),
  );
  const ids: string[] = [];
  let next = 0;
  const submit = async (): Promise<void> => {
    while (next < batches.length) {
      const at = next++;
      const answers = await clients[at % clients.length]!.submitMany(batches[at]!);
      const bad = answers.find(({ job }) => !job || (state !== undefined && job.state !== state));
      if (answers.length !== BATCH || bad)
        throw new Error(`Not ${state ?? 'taken'}: ${JSON.stringify(bad ?? answers.length)}`);
      ids.push(...answers.map(({ job }) => job!.id));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, submit));
  return ids;
}

/**
 * 50,000 jobs of one iteration in NDJSON batches.
 * @returns jobs per second from the first byte to the last answer, every one of them finished and on disk
 */
export async function tinyJobs(urls: readonly string[]): Promise<number> {
  const count = 50_000;
  const start = performance.now();
  await submitAll(urls, { count, iterations: 1, state: 'done' });
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
  const ids = await submitAll(urls, { count, iterations });
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
