import { rounded } from '../lib/statistics.ts';
import { submit, withCluster, type Bench, type Measurement } from './measure.ts';
import type { Member } from './member.ts';
import { pause, within } from './scenario.ts';

const JOBS = 64;
const ITERATIONS = 1e9;
/** A rate is taken over this time, in milliseconds. */
const WINDOW_MS = 1_000;
/** A total rate is taken over this time, in milliseconds. */
const TOTAL_MS = 15_000;
const JOIN_MS = 5_000;
const LIMIT_MS = 60_000;

const iterationsOf = (worker: Member): Promise<number> => worker.metric('hashcluster_worker_iterations');
const cpuSecondsOf = (worker: Member): Promise<number> => worker.metric('hashcluster_process_cpu_time');

/** One worker with 64 jobs of 10^9 iterations; a second one, of one core like the first, joins. */
export const SHARING: Measurement = {
  name: 'sharing',
  says: 'a worker that joins does 40 % of the work within 5 s; two do 1.9 times the work of one',
  run: (bench: Bench) =>
    withCluster(bench, { name: 'sharing', endpoints: 1, workers: 1 }, async (cluster) => {
      const [first] = cluster.workers as [Member];
      const { url } = cluster.endpoints[0]!;
      for (let i = 0; i < JOBS; i++)
        await submit(url, { data: `${bench.seed}/${i}`, iterations: ITERATIONS });
      const lanes = await lanesOf(url, first);
      await within(LIMIT_MS, async () => (await first.metric('hashcluster_worker_jobs_held')) >= lanes);
      const alone = await totalRate([first]);
      const second = await cluster.addWorker();
      const joined = performance.now();
      const { shareMs, shares } = await timeToShare(first, second, joined);
      const both = await totalRate([first, second]);
      return {
        ...{ joinMs: shareMs, shares, aloneRate: Math.round(alone.rate), bothRate: Math.round(both.rate) },
        ...{ aloneCores: rounded(alone.cores), bothCores: rounded(both.cores) },
        ratio: rounded(both.rate / alone.rate),
        // What two cores would do that were there for the workers alone.
        ratioPerCore: rounded((2 * both.rate * alone.cores) / (alone.rate * both.cores)),
        met: shareMs !== null && shareMs <= JOIN_MS && both.rate / alone.rate >= 1.9,
      };
    }),
};

/** Jobs that a worker hashes at once, as it says itself. */
async function lanesOf(url: string, { worker }: Member): Promise<number> {
  const answer = await fetch(`${url}/v1/workers`);
  const { items } = (await answer.json()) as { items: { id: string; lanes: number }[] };
  const found = items.find(({ id }) => id === worker);
  if (!found) throw new Error(`${url} does not know ${worker}`);
  return found.lanes;
}

/** Iterations per second of these workers together, and the cores that they got. */
async function totalRate(workers: readonly Member[]): Promise<{ rate: number; cores: number }> {
  const sum = async (of: (worker: Member) => Promise<number>): Promise<number> =>
    (await Promise.all(workers.map(of))).reduce((a, b) => a + b, 0);
  const [before, cpuBefore, from] = [await sum(iterationsOf), await sum(cpuSecondsOf), performance.now()];
  await pause(TOTAL_MS);
  const [iterations, cpu] = [(await sum(iterationsOf)) - before, (await sum(cpuSecondsOf)) - cpuBefore];
  const seconds = (performance.now() - from) / 1_000;
  return { rate: iterations / seconds, cores: cpu / seconds };
}

/** When the second worker did 40 % of the work of a window for the first time, after it was ready; and its shares. */
async function timeToShare(
  first: Member,
  second: Member,
  joined: number,
): Promise<{ shareMs: number | null; shares: number[] }> {
  const shares: number[] = [];
  let shareMs: number | null = null;
  let before = [await iterationsOf(first), await iterationsOf(second)] as const;
  while (performance.now() - joined < 2 * JOIN_MS) {
    await pause(WINDOW_MS);
    const now = [await iterationsOf(first), await iterationsOf(second)] as const;
    const [one, two] = [now[0] - before[0], now[1] - before[1]];
    shares.push(rounded(two / Math.max(1, one + two)));
    if (shares.at(-1)! >= 0.4) shareMs ??= Math.round(performance.now() - joined);
    before = now;
  }
  return { shareMs, shares };
}
