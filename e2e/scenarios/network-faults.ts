import type { Direction } from '../faults/tcp-proxy.ts';
import type { Cluster } from './cluster.ts';
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
import { checkpointed, lostBy } from './worker-faults.ts';

const CUT_MS = { least: 11_000, most: 16_000 };
/** It notices by then that it has lost jobs, unless it has finished them. */
const NOTICE_MS = 6_000;
/** A worker is at work again so long after the network is whole, in milliseconds. */
const BACK_MS = 30_000;

/** Kafka only: the worker keeps its lease, its jobs, and finishes them. */
export const CUT_FROM_KAFKA: Scenario = {
  name: 'cut-from-kafka',
  says: 'a worker cut off from Kafka only goes on with what it has, and finds more in the store',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  async fault(scene) {
    const { cluster } = scene;
    const victim = await busyWorker(scene);
    const before = await jobsOf(cluster, victim.worker);
    const finished = await victim.metric('hashcluster_worker_jobs_finished_total');
    scene.strike();
    for (const proxy of victim.network.to(cluster.kafkaAddress)) proxy.drop('out', 'back');
    await pause(CUT_MS.least + scene.random.next() * (CUT_MS.most - CUT_MS.least));
    const after = (await victim.metric('hashcluster_worker_jobs_finished_total')) - finished;
    const held = new Map((await jobsOf(cluster, victim.worker)).map((job) => [job.id, job.position]));
    const movedOn = before.filter(({ id, position }) => (held.get(id) ?? 0) > position).length;
    // On a busy machine long jobs take longer than the cut.
    if (after + movedOn === 0) scene.breach('the worker did nothing while it was cut off from Kafka');
    victim.network.heal();
    return { heldJobs: before.length, finishedMeanwhile: after, movedOn };
  },
};

export const CUT_FROM_MONGODB: Scenario = {
  name: 'cut-from-mongodb',
  says: 'a worker cut off from MongoDB only: others do its jobs, and it comes back',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  longJobs: 0,
  fault: async (scene) =>
    cutOff(scene, await busyWorker(scene), scene.cluster.mongoAddresses, ['out', 'back']),
};

const DROP_MS = { least: 20_000, most: 60_000 };
/** A large write has begun when so many bytes have gone out; all of it, of so many results, is more than the way holds. */
const LARGE_WRITE = { jobs: 3_000, results: 1_100, bytes: 60_000 };
/** How a command begins that stores results. Source: BSON, a string with its length. */
const INSERT_RESULTS = Buffer.from('\x02insert\0\x08\0\0\0results\0', 'latin1');
/** A flood is acknowledged by then, and so many results wait, in milliseconds; on a very busy machine, fewer. */
const FLOOD_MS = 15_000;
const PILED_UP_MS = 25_000;
/** Every packet of an endpoint takes up to this long before a large write, in milliseconds: meanwhile submissions pile up. */
const PILE_UP_MS = 1_500;
/** A large write has begun by then, in milliseconds. */
const BEGUN_MS = 60_000;

/** Packets vanish without a reset between one process and all members, with small or with large writes under way. */
export const DROP_MONGODB: Scenario = {
  name: 'drop-mongodb',
  says: 'all packets between a worker or an endpoint and MongoDB are dropped for 20-60 s, without a reset',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  campaignOnly: true,
  smallBuffers: true,
  longJobs: 0,
  fault: (scene) => dropPackets(scene, scene.random.next() < 0.5, scene.random.next() < 0.5),
};

/** @param ofWorker else of an endpoint  @param large in the middle of a large write */
export async function dropPackets(scene: Scene, ofWorker: boolean, large: boolean): Promise<Figures> {
  const { cluster, random } = scene;
  const victim = await (ofWorker ? droppedWorker(scene, large) : random.pick(cluster.endpoints));
  const proxies = victim.network.to(...cluster.mongoAddresses);
  await pause(random.next() * 2_000);
  scene.strike();
  const dropMs = DROP_MS.least + random.next() * (DROP_MS.most - DROP_MS.least);
  const begunMs = large ? await largeWrite(scene, victim) : 0;
  for (const proxy of proxies) proxy.stall();
  await pause(dropMs);
  const readyWhileDropped = Number(await victim.isReady());
  victim.network.heal();
  const healed = performance.now();
  const readyMs = await within(BACK_MS, () => victim.isReady(), healed);
  if (readyMs === null) scene.breach(`${victim.name} was not ready ${BACK_MS} ms after packets got through`);
  const figures = { ofWorker: Number(ofWorker), large: Number(large), begunMs, readyWhileDropped };
  return { ...figures, dropMs: Math.round(dropMs), readyMs: Math.round(readyMs ?? BACK_MS) };
}

/** What a large write needs comes with it: long jobs beside it would only take the time. */
async function droppedWorker(scene: Scene, large: boolean): Promise<Member> {
  return large ? scene.random.pick(scene.cluster.workers) : busyWorker(scene);
}

/** Stalls the process in the middle of a large write. Returns how long it took until one began, in milliseconds. */
async function largeWrite(scene: Scene, victim: Member): Promise<number> {
  const proxies = victim.network.to(...scene.cluster.mongoAddresses);
  const began = performance.now();
  const stalled = (): Promise<unknown> =>
    Promise.race(proxies.map((proxy) => proxy.stallInWrite(LARGE_WRITE.bytes)));
  const begun = scene.cluster.workers.includes(victim)
    ? largeCompletion(scene, victim, stalled)
    : largeSubmission(scene, victim, stalled);
  if (!(await Promise.race([begun.then(() => true), pause(BEGUN_MS).then(() => false)])))
    scene.late(`${victim.name} wrote nothing large within ${BEGUN_MS} ms`);
  return Math.round(performance.now() - began);
}

async function largeSubmission(
  { cluster, load }: Scene,
  victim: Member,
  stalled: () => Promise<unknown>,
): Promise<void> {
  for (const proxy of victim.network.to(...cluster.mongoAddresses)) proxy.delay(PILE_UP_MS);
  const stall = stalled();
  void load.flood(LARGE_WRITE.jobs, cluster.callers[cluster.endpoints.indexOf(victim)]!);
  await stall;
}

/**
 * The worker finds all of the flood waiting for it alone, and its first results are held back until so many more wait that
 * the next write is a large one.
 */
async function largeCompletion(
  { cluster, load }: Scene,
  victim: Member,
  stalled: () => Promise<unknown>,
): Promise<void> {
  const proxies = victim.network.to(...cluster.mongoAddresses);
  try {
    for (const worker of cluster.workers) worker.pause();
    await Promise.race([load.flood(LARGE_WRITE.jobs, cluster.callers[0]!), pause(FLOOD_MS)]);
    for (const proxy of proxies) proxy.hold(INSERT_RESULTS);
    victim.resume();
    await within(PILED_UP_MS, async () => (await unwritten(cluster, victim)) >= LARGE_WRITE.results);
  } finally {
    for (const worker of cluster.workers) worker.resume();
  }
  const stall = stalled();
  for (const proxy of proxies) proxy.release();
  await stall;
}

/** Jobs that a worker has hashed to the end, and whose results it has not written. */
async function unwritten(cluster: Cluster, worker: Member): Promise<number> {
  const held = await worker.metric('hashcluster_worker_jobs_held').catch(() => Infinity);
  const owned = await jobsOf(cluster, worker.worker).catch(() => []);
  return owned.length - held;
}

/** One way, to both servers; every second time the worker dies in that state. */
export const CUT_ONE_WAY: Scenario = {
  name: 'cut-one-way',
  says: 'a worker whose requests, or whose answers, get lost, and that may die so',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  longJobs: 0,
  fault: (scene) => cutOneWay(scene, scene.random.next() < 0.5 ? 'out' : 'back', scene.random.next() < 0.5),
};

export async function cutOneWay(scene: Scene, direction: Direction, dies: boolean): Promise<Figures> {
  const { cluster } = scene;
  const victim = await busyWorker(scene);
  const servers = [...cluster.mongoAddresses, cluster.kafkaAddress];
  const figures = await cutOff(scene, victim, servers, [direction], dies);
  return { ...figures, requestsGotThrough: Number(direction === 'back'), killed: Number(dies) };
}

/** Cuts the worker off until its jobs are somebody else's, heals or kills, and waits until it works again. */
export async function cutOff(
  scene: Scene,
  victim: Member,
  servers: readonly string[],
  ...[directions, dies = false]: readonly [directions: readonly Direction[], dies?: boolean]
): Promise<Figures> {
  const { cluster, random } = scene;
  const { worker } = victim;
  const cutMs = CUT_MS.least + random.next() * (CUT_MS.most - CUT_MS.least);
  const lostBefore = await lostBy(victim);
  scene.strike();
  const struck = performance.now();
  for (const proxy of victim.network.to(...servers)) proxy.drop(...directions);
  // What was claimed just before may be known to the store only a moment later.
  const held = await jobsOf(cluster, worker);
  if (dies) {
    await pause(random.next() * 5_000);
    await victim.kill();
  }
  const takeOverMs = await takenOver(scene, worker, held, struck);
  await pause(struck + cutMs - performance.now());
  victim.network.heal();
  const figures = { heldJobs: held.length, checkpointed: checkpointed(held), takeOverMs };
  if (dies) return figures;
  const healed = performance.now();
  const backMs = await within(BACK_MS, async () => (await leaseLeft(scene, worker)) > 0, healed);
  if (backMs === null) scene.breach(`the worker had no lease ${BACK_MS} ms after the network was whole`);
  await within(NOTICE_MS, async () => (await lostBy(victim)) > lostBefore, healed);
  scene.lateWrites((await lostBy(victim)) - lostBefore);
  return { ...figures, leaseBackMs: Math.round(backMs ?? BACK_MS) };
}

/** How long the worker's lease still lasts, in milliseconds; negative when it has run out. */
async function leaseLeft({ cluster }: Scene, worker: string): Promise<number> {
  const doc = await cluster.store.db
    .collection<{ _id: string; leaseUntil: Date }>('workers')
    .findOne({ _id: worker })
    .catch(() => null);
  return doc ? doc.leaseUntil.getTime() - Date.now() : -1;
}
