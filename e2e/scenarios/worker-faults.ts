import type { Stored } from '../audit/history.ts';
import type { Member } from './member.ts';
import {
  busyWorker,
  jobsOf,
  pause,
  takenOver,
  within,
  type Figures,
  type Scenario,
  type Scene,
} from './scenario.ts';

/** A dead worker's jobs run again within this time, in milliseconds (DESIGN §5.7). */
const TAKE_OVER_MS = 15_000;
/** How long a worker's lease is, in milliseconds. */
const LEASE_MS = 10_000;
/** Longer than any lease, so that the jobs are somebody else's when the worker comes to itself. */
const PAUSE_MS = { least: 12_000, most: 17_000 };
/** A worker that comes to itself notices by then, in milliseconds. */
const NOTICE_MS = 20_000;

/** kill -9 of the worker that holds most. */
export const KILL_WORKER: Scenario = {
  name: 'kill-worker',
  says: 'kill -9 of a worker: its jobs run again within 15 s, from their checkpoints',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  // Then the others have lanes free: what is measured is how soon jobs are taken over, not how long a queue is.
  longJobs: 0,
  async fault(scene) {
    const victim = await busyWorker(scene);
    const { worker } = victim;
    scene.strike();
    const struck = performance.now();
    await victim.kill();
    const held = await jobsOf(scene.cluster, worker);
    const tookMs = await takenOver(scene, worker, held, struck);
    if (tookMs > TAKE_OVER_MS) scene.late(`the jobs ran again after ${tookMs} ms`);
    return { heldJobs: held.length, checkpointed: checkpointed(held), takeOverMs: tookMs };
  },
};

/** SIGSTOP for longer than the lease: the worker does not know that its jobs are somebody else's when it goes on. */
export const PAUSE_WORKER: Scenario = {
  name: 'pause-worker',
  says: 'SIGSTOP of a worker beyond its lease, then SIGCONT: its late writes change nothing',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  longJobs: 0,
  demands: { lateWrites: 1 },
  fault: (scene) =>
    pauseWorker(scene, PAUSE_MS.least + scene.random.next() * (PAUSE_MS.most - PAUSE_MS.least)),
};

/** Stops the busiest worker for so long, and counts what it writes too late. */
async function pauseWorker(scene: Scene, pauseMs: number): Promise<Figures> {
  const victim = await busyWorker(scene);
  const lostBefore = await lostBy(victim);
  scene.strike();
  const struck = performance.now();
  victim.pause();
  const held = await jobsOf(scene.cluster, victim.worker);
  const takeOverMs = await takenOver(scene, victim.worker, held, struck);
  if (takeOverMs > TAKE_OVER_MS) scene.late(`the jobs ran again after ${takeOverMs} ms`);
  await pause(struck + Math.max(pauseMs, LEASE_MS) - performance.now());
  victim.resume();
  await within(NOTICE_MS, async () => (await lostBy(victim)) > lostBefore);
  const late = (await lostBy(victim)) - lostBefore;
  scene.lateWrites(late);
  return { heldJobs: held.length, checkpointed: checkpointed(held), takeOverMs, lateWrites: late };
}

/** Jobs that a worker wrote of although they were no longer its own; 0 when it cannot be asked. */
export function lostBy(worker: Member): Promise<number> {
  return worker.metric('hashcluster_worker_jobs_lost_total').catch(() => 0);
}

/** Jobs that have a checkpoint beyond their beginning. */
export function checkpointed(jobs: readonly Stored[]): number {
  return jobs.filter(({ position }) => position > 1).length;
}
