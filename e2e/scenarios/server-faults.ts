import { longestGap, pause, within, type Scenario, type Scene } from './scenario.ts';

/** Submits resume so long after the primary died, in milliseconds. */
const RESUME_MS = 20_000;
/** How long Kafka is down, in milliseconds, and how long endpoints are given to be acknowledging again after all died. */
const DOWN_MS = { least: 6_000, most: 12_000 };
const LIMIT_MS = 90_000;

export const KILL_PRIMARY: Scenario = {
  name: 'kill-primary',
  says: "kill -9 of MongoDB's primary: submits resume within 20 s",
  endpoints: 2,
  workers: 2,
  sharesServers: false,
  async fault(scene) {
    const { mongo } = scene.cluster.servers;
    await scene.load.burst(3, 32);
    const primary = await primaryOf(scene);
    scene.strike();
    const [struck, since] = await scene.once(() => timed(() => mongo.kill(primary)));
    const resumeMs = await resumed(scene, { struck, since, boundMs: RESUME_MS });
    await scene.once(() => startAgain(scene, [primary]));
    return { resumeMs, longestGapMs: longestGap(scene, struck, performance.now()) };
  },
};

/** Nothing may be acknowledged that only the primary has. */
export const PRIMARY_ALONE: Scenario = {
  name: 'primary-alone',
  says: 'the secondaries die, then the primary: what it alone had was not acknowledged',
  endpoints: 2,
  workers: 2,
  sharesServers: false,
  async fault(scene) {
    const { mongo } = scene.cluster.servers;
    const primary = await primaryOf(scene);
    const others = mongo.ports.map((_, i) => i).filter((i) => i !== primary);
    scene.strike();
    const [struck] = await scene.once(() =>
      timed(() => Promise.all(others.map((member) => mongo.kill(member)))),
    );
    await pause(1_000 + scene.random.next() * 1_500);
    const [, since] = await scene.once(() => timed(() => mongo.kill(primary)));
    await scene.once(() => Promise.all(others.map((member) => mongo.start(member))));
    const resumeMs = await resumed(scene, { struck, since, boundMs: LIMIT_MS });
    await scene.once(() => startAgain(scene, [primary]));
    return { resumeMs };
  },
};

export const STOP_KAFKA: Scenario = {
  name: 'stop-kafka',
  says: 'Kafka stopped, later started again: jobs are accepted and finished meanwhile',
  endpoints: 2,
  workers: 2,
  sharesServers: false,
  fault: (scene) =>
    withoutKafka(scene, {
      begin: () => scene.cluster.servers.kafka.kill(),
      end: () => scene.cluster.servers.kafka.start(),
    }),
};

export const WIPE_KAFKA: Scenario = {
  name: 'wipe-kafka',
  says: "Kafka's data deleted: jobs are accepted and finished meanwhile and afterwards",
  endpoints: 2,
  workers: 2,
  sharesServers: false,
  fault: (scene) =>
    withoutKafka(scene, {
      begin: () => scene.cluster.servers.kafka.kill(),
      end: () => scene.cluster.servers.kafka.wipe(),
    }),
};

async function withoutKafka(
  scene: Scene,
  fault: { readonly begin: () => Promise<void>; readonly end: () => Promise<void> },
): Promise<Record<string, number>> {
  const { cluster, history, random, load } = scene;
  await load.burst(3, 32);
  scene.strike();
  const [struck, downAt] = await scene.once(() => timed(fault.begin));
  const acknowledged = history.acknowledged.size;
  const done = await ended(scene);
  await pause(DOWN_MS.least + random.next() * (DOWN_MS.most - DOWN_MS.least));
  const figures = {
    acceptedMeanwhile: history.acknowledged.size - acknowledged,
    finishedMeanwhile: (await ended(scene)) - done,
    longestGapMs: longestGap(scene, struck, performance.now()),
  };
  if (figures.acceptedMeanwhile === 0) scene.breach('nothing was accepted while Kafka was down');
  if (figures.finishedMeanwhile === 0) scene.breach('nothing was finished by a worker while Kafka was down');
  await scene.once(fault.end);
  const back = await within(LIMIT_MS, async () => healthyBus(cluster.endpoints.map(({ url }) => url)));
  return {
    ...figures,
    downMs: Math.round(performance.now() - downAt),
    busBackMs: Math.round(back ?? LIMIT_MS),
  };
}

/** Results that a worker has brought. */
function ended({ cluster }: Scene): Promise<number> {
  return cluster.store.db.collection('results').countDocuments({ worker: { $exists: true } });
}

/** Whether each endpoint hears its workers: their alive messages come over Kafka. */
async function healthyBus(urls: readonly string[]): Promise<boolean> {
  const live = await Promise.all(
    urls.map(async (url) => {
      const answer = await fetch(`${url}/v1/cluster`).catch(() => null);
      return answer?.ok ? ((await answer.json()) as { workers: { live: number } }).workers.live > 0 : false;
    }),
  );
  return live.every(Boolean);
}

/** Every process and every server at once, and all of them again on what they had written. */
export const KILL_EVERYTHING: Scenario = {
  name: 'kill-everything',
  says: 'kill -9 of every process and every server at once, and all started again on the same data',
  endpoints: 2,
  workers: 2,
  sharesServers: false,
  async fault(scene) {
    const { cluster, load, random } = scene;
    const { mongo, kafka } = cluster.servers;
    await load.burst(3, 32);
    await pause(random.next() * 2_000);
    scene.strike();
    const all = mongo.ports.map((_, i) => i);
    // First all trials on these servers come together: the processes are to die with the servers, not before them.
    await scene.once(async () => undefined);
    await Promise.all([
      ...cluster.members.map((member) => member.kill()),
      scene.once(() => Promise.all([...all.map((member) => mongo.kill(member)), kafka.kill()])),
    ]);
    const began = performance.now();
    await scene.once(() => Promise.all([startAgain(scene, all), kafka.start()]));
    const serversMs = Math.round(performance.now() - began);
    await cluster.ready();
    const resumeMs = await resumed(scene, { struck: began, since: began, boundMs: LIMIT_MS });
    return { serversMs, processesMs: Math.round(performance.now() - began) - serversMs, resumeMs };
  },
};

/** When an action began and when it was done. */
async function timed(action: () => Promise<unknown>): Promise<readonly [number, number]> {
  const began = performance.now();
  await action();
  return [began, performance.now()];
}

/** Starts members of the replica set, and waits until all of it is whole. */
async function startAgain({ cluster }: Scene, members: readonly number[]): Promise<void> {
  const { mongo } = cluster.servers;
  await Promise.all(members.map((member) => mongo.start(member)));
  await mongo.ready();
}

/** On a busy machine the primary may take its time to say that it is one. */
async function primaryOf({ cluster }: Scene): Promise<number> {
  const end = performance.now() + LIMIT_MS;
  while (performance.now() < end) {
    const primary = await cluster.servers.mongo.primary();
    if (primary !== null) return primary;
    await pause(500);
  }
  throw new Error('MongoDB has no primary');
}

/**
 * How long after `struck` a request was acknowledged that began when `since` had passed, in milliseconds. What was sent
 * before may have been answered by what was still alive.
 */
async function resumed(
  { history, breach, late }: Scene,
  { struck, since, boundMs }: { readonly struck: number; readonly since: number; readonly boundMs: number },
): Promise<number> {
  const first = (): number =>
    history.attempts
      .filter(({ from, outcome }) => from > since && outcome.kind === 'acknowledged')
      .reduce((least, { to }) => Math.min(least, to), Infinity);
  const found = await within(LIMIT_MS, () => first() < Infinity, struck);
  if (found === null) breach(`submits did not resume within ${LIMIT_MS} ms`);
  const resumeMs = Math.round(found === null ? LIMIT_MS : first() - struck);
  if (resumeMs > boundMs) late(`submits resumed after ${resumeMs} ms`);
  return resumeMs;
}
