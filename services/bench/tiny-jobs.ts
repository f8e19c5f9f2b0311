import { Client } from '../../e2e/lib/client.ts';
import type { Service } from '../../e2e/lib/service.ts';

const JOBS = 50_000;
const BATCH = 5_000;
const IN_FLIGHT = 2;

/**
 * 50,000 jobs of one iteration in NDJSON batches.
 * @returns jobs per second from the first byte to the last answer, every one of them finished and on disk
 */
export async function tinyJobs(service: Service): Promise<number> {
  const client = new Client(service.url);
  const nonce = `${Date.now()} ${Math.random()}`;
  const batches = Array.from({ length: JOBS / BATCH }, (_, b) =>
    Array.from({ length: BATCH }, (_, i) => ({ data: `tiny ${nonce} ${b} ${i}`, iterations: 1 })),
  );
  const start = performance.now();
  let next = 0;
  const submit = async (): Promise<void> => {
    for (let batch = batches[next++]; batch; batch = batches[next++]) {
      const answers = await client.submitMany(batch);
      const bad = answers.find(({ job }) => job?.state !== 'done');
      if (answers.length !== BATCH || bad)
        throw new Error(`Not done: ${JSON.stringify(bad ?? answers.length)}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, submit));
  return (JOBS * 1_000) / (performance.now() - start);
}
