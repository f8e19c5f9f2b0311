import { WALL_CLOCK_TROUBLE } from '../faults/wall-clock.ts';
import type { Member } from './member.ts';
import { busyWorker, jobsOf, pause, within, type Scenario, type Scene } from './scenario.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Where the clock jumps, in seconds from the right time. */
const JUMPS = [HOUR, -HOUR, 400 * DAY, -400 * DAY];
/** The process has noticed by then that its clock has another time, in milliseconds. */
const NOTICE_MS = 1_500;
/** How long the clock stays where it is after each jump, in milliseconds; sweeps come every two seconds. */
const STAY_MS = { least: 3_000, most: 8_000 };
/** A worker whose clock jumps has written another checkpoint by then, in milliseconds. */
const CHECKPOINT_MS = 20_000;

/** The wall clock of one process jumps, and comes back. Results are kept for less than it jumps. */
export const CLOCK: Scenario = {
  name: 'clock',
  campaignOnly: true,
  says: 'the wall clock of one process jumps by an hour and by 400 days: nothing is lost, and work goes on',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  needs: WALL_CLOCK_TROUBLE,
  wallClocks: true,
  env: { RESULT_RETENTION: '30m' },
  async fault(scene) {
    const { cluster, random, strike } = scene;
    const isWorker = random.next() < 0.5;
    const busy = await busyWorker(scene);
    const victim = isWorker ? busy : random.pick(cluster.endpoints);
    strike();
    let jumps = 0;
    let slowestMs = 0;
    const first = random.whole(0, JUMPS.length - 1);
    for (const seconds of [...JUMPS.slice(first), ...JUMPS.slice(0, first)]) {
      await victim.wallClock!.set(seconds);
      jumps++;
      await pause(NOTICE_MS);
      if (isWorker) slowestMs = Math.max(slowestMs, await checkpointAfter(scene, victim, seconds));
      await pause(STAY_MS.least + random.next() * (STAY_MS.most - STAY_MS.least));
    }
    await victim.wallClock!.set(0);
    return { isWorker: Number(isWorker), jumps, checkpointMs: Math.round(slowestMs) };
  },
};

/** Waits until the worker has written how far one of its jobs is, or has none any more. Returns how long that took. */
async function checkpointAfter({ cluster, breach }: Scene, worker: Member, seconds: number): Promise<number> {
  const before = new Map((await jobsOf(cluster, worker.worker)).map(({ id, position }) => [id, position]));
  const took = await within(CHECKPOINT_MS, async () => {
    const now = await jobsOf(cluster, worker.worker).catch(() => null);
    if (now === null) return false;
    return now.length === 0 || now.some(({ id, position }) => position > (before.get(id) ?? Infinity));
  });
  if (took === null)
    breach(
      `${worker.name} wrote no checkpoint for ${CHECKPOINT_MS} ms after its clock jumped by ${seconds} s`,
    );
  return took ?? CHECKPOINT_MS;
}
