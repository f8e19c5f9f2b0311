import { Random } from '../faults/random.ts';
import type { Asked } from '../audit/history.ts';
import { rounded } from '../lib/statistics.ts';
import { submit, withCluster, type Answer, type Bench, type Measurement } from './measure.ts';
import type { Cluster } from './cluster.ts';

const ENDPOINTS = 8;
const ROUNDS = 1_000;
/** Rounds at the same time. */
const AT_ONCE = 8;
/** More than an endpoint hashes itself. */
const ITERATIONS = { least: 3_000, most: 12_000 };
const WAIT_SECONDS = 60;

/** The same job at 8 endpoints at the same moment, 1,000 times. */
export const EQUAL: Measurement = {
  name: 'equal',
  says: 'an equal job submitted at 8 endpoints at once, 1,000 times: computed once, one id, one result',
  run: (bench: Bench) =>
    withCluster(bench, { name: 'equal', endpoints: ENDPOINTS, workers: 2 }, async (cluster) => {
      const jobs = makeJobs(bench);
      const before = await hashed(cluster);
      const wrong: string[] = [];
      const queue = [...jobs];
      const worker = async (): Promise<void> => {
        for (let job = queue.pop(); job; job = queue.pop()) wrong.push(...(await oneRound(cluster, job)));
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const seconds = rounded((performance.now() - began) / 1_000);
      const results = await cluster.store.db.collection('results').countDocuments();
      const wanted = jobs.reduce((sum, { body }) => sum + body.iterations - 1, 0);
      const done = (await hashed(cluster)) - before;
      const workers = {
        claimed: await sumOf(cluster, 'jobs_claimed_total'),
        givenBack: await sumOf(cluster, 'jobs_released_total'),
        lost: await sumOf(cluster, 'jobs_lost_total'),
      };
      return {
        ...{
          rounds: jobs.length,
          endpoints: ENDPOINTS,
          results,
          wrong: wrong.slice(0, 5),
          seconds,
          ...workers,
        },
        ...{ iterationsWanted: wanted, iterationsDone: done },
        met: wrong.length === 0 && results === jobs.length && done === wanted,
      };
    }),
};

function makeJobs({ seed, reference }: Bench): Asked[] {
  const random = new Random(seed);
  const jobs = new Map<string, Asked>();
  while (jobs.size < ROUNDS) {
    const job = reference.middling(random.whole(0, 200_000), random.whole(ITERATIONS.least, ITERATIONS.most));
    // A chain of its own each: what is known of another one would save work.
    jobs.set(job.chain, job);
  }
  return [...jobs.values()];
}

/** What is wrong with the 8 answers. */
async function oneRound({ endpoints }: Cluster, job: Asked): Promise<string[]> {
  const answers: Answer[] = await Promise.all(
    endpoints.map(({ url }) => submit(url, job.body, WAIT_SECONDS)),
  );
  const ids = new Set(answers.map(({ id }) => id));
  const digests = new Set(answers.map(({ digest }) => digest));
  const fine = ids.size === 1 && digests.size === 1 && digests.has(job.answer);
  return fine ? [] : [`${job.name}: ${[...ids].join()} ${[...digests].join()}`];
}

function hashed(cluster: Cluster): Promise<number> {
  return sumOf(cluster, 'iterations');
}

async function sumOf({ workers }: Cluster, metric: string): Promise<number> {
  const each = await Promise.all(workers.map((worker) => worker.metric(`hashcluster_worker_${metric}`)));
  return each.reduce((sum, value) => sum + value, 0);
}

const CHAINS = 20;
const SHORT = 20_000;
const LONG = 50_000;

/** A longer job on a chain of which a point is known. */
export const REUSE: Measurement = {
  name: 'reuse',
  says: 'a longer job on a known chain computes only the difference',
  run: (bench: Bench) =>
    withCluster(bench, { name: 'reuse', endpoints: 2, workers: 1 }, async (cluster) => {
      const [here, there] = cluster.endpoints.map(({ url }) => url) as [string, string];
      const before = await hashed(cluster);
      const computed: (number | null)[] = [];
      let wrong = 0;
      for (let i = 0; i < CHAINS; i++) {
        const short = bench.reference.middling(i * 10_000, SHORT);
        const long = bench.reference.middling(i * 10_000, LONG);
        await submit(here, short.body, WAIT_SECONDS);
        const answer = await submit(there, long.body, WAIT_SECONDS);
        computed.push(answer.computed);
        if (answer.digest !== long.answer) wrong++;
      }
      const done = (await hashed(cluster)) - before;
      const wanted = CHAINS * (LONG - 1);
      const met = wrong === 0 && done === wanted && computed.every((each) => each === LONG - SHORT);
      return { chains: CHAINS, wrong, iterationsWanted: wanted, iterationsDone: done, met };
    }),
};
