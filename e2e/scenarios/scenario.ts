import { setTimeout as sleep } from 'node:timers/promises';
import type { Demands } from '../audit/checker.ts';
import type { History, Stored } from '../audit/history.ts';
import type { Load } from '../audit/load.ts';
import type { Random } from '../faults/random.ts';
import type { Cluster } from './cluster.ts';
import type { Member } from './member.ts';
import type { Patch } from './patched-build.ts';
import type { Together } from './round.ts';

/** What a fault has to work with. */
export interface Scene {
  readonly cluster: Cluster;
  readonly history: History;
  readonly load: Load;
  readonly random: Random;
  /** Says that the fault begins now: what was acknowledged before is counted up to here. */
  readonly strike: () => void;
  /** Signs that a worker wrote although it had lost its jobs. */
  readonly lateWrites: (count: number) => void;
  /** Done to the servers once for all trials on them, when each has come to this point. */
  readonly once: Together['once'];
  /** Something that the scenario promises did not hold. */
  readonly breach: (what: string) => void;
  /** Something took longer than it may on a machine that has nothing else to do. */
  readonly late: (what: string) => void;
}

/** Numbers that a trial brings, by name: milliseconds where the name ends in `Ms`. */
export type Figures = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  /** What happens, in one line. */
  readonly says: string;
  readonly endpoints: number;
  readonly workers: number;
  /** Whether it leaves the servers alone: then trials on the same ones go on without each other. */
  readonly sharesServers: boolean;
  /** What it finds depends on chance or on how fast the machine is: it is run as a campaign (`npm run chaos`) only. */
  readonly campaignOnly?: boolean;
  readonly demands?: Partial<Demands>;
  readonly env?: Readonly<Record<string, string>>;
  /** How long everything may take to be done afterwards, in milliseconds; four minutes unless said otherwise. */
  readonly drainMs?: number;
  /** Of 32 jobs of the load, this many take a second; one unless said otherwise. */
  readonly longJobs?: number;
  /** One more worker, the last, that is made with these faults. */
  readonly oddWorker?: readonly Patch[];
  /** What of the machine it needs and does not have; null or absent: nothing. */
  readonly needs?: string | null;
  /** Whether each process has a wall clock of its own. */
  readonly wallClocks?: boolean;
  /** Whether little of what a process sends is held on the way when nobody takes it: see `TcpProxy.startAt`. */
  readonly smallBuffers?: boolean;
  /** Does harm and heals it, under load. What is down at the end is started again. */
  readonly fault: (scene: Scene) => Promise<Figures>;
}

/** After this time something that has to happen has not, in milliseconds. */
const LIMIT_MS = 60_000;

/** Waits, looking every 50 ms, and says how long it took since `since`; null when it did not come within `limitMs` of that. */
export async function within(
  limitMs: number,
  condition: () => Promise<boolean> | boolean,
  since = performance.now(),
): Promise<number | null> {
  while (!(await condition())) {
    if (performance.now() - since > limitMs) return null;
    await pause(50);
  }
  return performance.now() - since;
}

/** Until so many milliseconds are over; not at all when that was before. */
export function pause(ms: number): Promise<void> {
  return sleep(Math.max(0, ms));
}

/** The live jobs of a worker, as the store has them. */
export async function jobsOf(cluster: Cluster, worker: string): Promise<Stored[]> {
  return (await cluster.store.live()).filter(({ owner }) => owner === worker);
}

/** More iterations than any job of the load itself has. */
export const LARGE = 4_000_000;

/** The jobs of a worker that came in a burst, and not with the load. */
export async function longJobsOf({ store }: Cluster, { worker }: Member): Promise<Stored[]> {
  return (await store.live()).filter(({ owner, iterations }) => owner === worker && iterations > LARGE);
}

/** Gives the cluster long jobs, lets them run for a random time, and picks the worker that holds most of them. */
export async function busyWorker(scene: Scene, jobs = 4, strides = 32): Promise<Member> {
  const { cluster, load, random } = scene;
  await load.burst(jobs, strides);
  await pause(500 + random.next() * 4_500);
  let busiest = cluster.workers[0]!;
  const found = await within(LIMIT_MS, async () => {
    const live = await cluster.store.live();
    const held = (member: Member): number => live.filter(({ owner }) => owner === member.worker).length;
    busiest = [...cluster.workers].sort((a, b) => held(b) - held(a))[0]!;
    return held(busiest) > 0;
  });
  if (found === null) throw new Error('No worker holds a job');
  return busiest;
}

/**
 * Waits until none of these jobs is the worker's any more: each has another owner, or has ended. Returns how long that took
 * since `since`, in milliseconds.
 */
export async function takenOver(
  { cluster, breach }: Scene,
  victim: string,
  jobs: readonly Stored[],
  since: number,
): Promise<number> {
  const ids = new Set(jobs.map(({ id }) => id));
  const took = await within(
    LIMIT_MS,
    async () => {
      const live = await cluster.store.live().catch(() => null);
      return live?.every(({ id, owner }) => !ids.has(id) || (owner !== null && owner !== victim)) ?? false;
    },
    since,
  );
  if (took === null) breach(`the jobs of ${victim} were not taken over within ${LIMIT_MS} ms`);
  return Math.round(took ?? LIMIT_MS);
}

/** Requests at endpoints but this one since `since` that did not succeed. */
export function failedElsewhere({ history }: Scene, name: string, since: number): number {
  return history.attempts.filter(
    ({ endpoint, from, outcome, form }) =>
      endpoint !== name && from >= since && form !== 'cancel' && outcome.kind !== 'acknowledged',
  ).length;
}

/** The longest time without an acknowledgement between two moments, in milliseconds. */
export function longestGap({ history }: Scene, from: number, to: number): number {
  const times = history.attempts
    .filter(
      ({ outcome, to: at, form }) =>
        form !== 'cancel' && outcome.kind === 'acknowledged' && at > from && at < to,
    )
    .map(({ to: at }) => at)
    .sort((a, b) => a - b);
  const edges = [from, ...times, to];
  return Math.round(Math.max(...edges.slice(1).map((at, i) => at - edges[i]!)));
}
