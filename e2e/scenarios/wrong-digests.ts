import type { Cluster } from './cluster.ts';
import type { Member } from './member.ts';
import type { Patch } from './patched-build.ts';
import { LARGE, longJobsOf, within, type Scenario } from './scenario.ts';

const BURST = { jobs: 4, strides: 32 };
/** Another worker may be quicker: then there is another burst, after this time in milliseconds. */
const BURSTS = 6;
const BURST_MS = 5_000;
const LIMIT_MS = 180_000;
/** Long enough that whoever takes a job over stores the right digest before the wrong one arrives, in milliseconds. */
const LATE_MS = 40_000;

/**
 * A processor that miscalculates: the last digit of jobs larger than any of the load is another one. Its results come late,
 * for a wrong one that is the first is no contradiction.
 */
const MISCALCULATES: readonly Patch[] = [
  {
    file: 'worker/finisher.js',
    find: 'finish(held, state) {',
    replace: `finish(held, state, late = false) {
        if (held.job.iterations > ${LARGE} && !late) {
            setTimeout(() => this.finish(held, state, true), ${LATE_MS});
            return;
        }`,
  },
  {
    file: 'worker/finisher.js',
    find: 'digest: state.digest,',
    replace: `digest: iterations > ${LARGE} ? state.digest.slice(0, -1) + (state.digest.endsWith('0') ? '1' : '0') : state.digest,`,
  },
];

/**
 * The worker hashes its large jobs to a wrong end while its writes do not get through; meanwhile another one takes them over
 * and stores the right digests. Then the wrong ones arrive.
 */
export const WRONG_DIGESTS: Scenario = {
  name: 'wrong-digests',
  says: 'a worker that miscalculates contradicts stored results: refused, and the alarm is raised',
  endpoints: 2,
  workers: 1,
  sharesServers: true,
  longJobs: 0,
  oddWorker: MISCALCULATES,
  demands: { lateWrites: 1 },
  async fault(scene) {
    const { cluster } = scene;
    const odd = cluster.workers.at(-1)!;
    const before = await contradictions(odd);
    let ids: string[] = [];
    for (let tries = 0; ids.length === 0; tries++) {
      if (tries === BURSTS) throw new Error('The worker that miscalculates got no large job');
      await scene.load.burst(BURST.jobs, BURST.strides);
      await within(BURST_MS, async () => (ids = await takenBy(cluster, odd)).length > 0);
    }
    scene.strike();
    for (const proxy of odd.network.to(...cluster.mongoAddresses)) proxy.drop('out');
    const results = cluster.store.db.collection<{ _id: string }>('results');
    const storedMs = await within(
      LIMIT_MS,
      async () => (await results.countDocuments({ _id: { $in: ids } })) === ids.length,
    );
    if (storedMs === null) {
      // Its wrong ones must not be the first.
      await odd.kill();
      scene.breach('the right results were not stored');
    }
    // Only what it has hashed to the end does it write when it can; the rest it finds to be somebody else's.
    await within(LIMIT_MS, async () => (await odd.metric('hashcluster_worker_jobs_held')) === 0);
    odd.network.heal();
    await within(LIMIT_MS, async () => (await contradictions(odd)) > before);
    const refused = (await contradictions(odd)) - before;
    scene.lateWrites(refused);
    const alarms = odd.log.filter((line) => line.includes('contradicts') && line.includes('"level":"error"'));
    if (alarms.length === 0) scene.breach('no error was logged');
    return { heldJobs: ids.length, refused };
  },
};

/** Large jobs that the worker knows to be its own: an answer to a claim may still be on its way. */
async function takenBy(cluster: Cluster, worker: Member): Promise<string[]> {
  const ids = (await longJobsOf(cluster, worker)).map(({ id }) => id);
  return ids.filter((id) => worker.log.some((line) => line.includes('Job claimed') && line.includes(id)));
}

function contradictions(worker: Member): Promise<number> {
  return worker.metric('hashcluster_worker_contradictions_total').catch(() => 0);
}
