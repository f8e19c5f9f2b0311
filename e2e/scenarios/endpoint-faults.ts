import { failedElsewhere, pause, within, type Scenario, type Scene } from './scenario.ts';
import type { Member } from './member.ts';

/** How long an endpoint is down, in milliseconds. */
const DOWN_MS = { least: 3_000, most: 8_000 };
/** How long it is cut off: longer than an answer of MongoDB is waited for, so that it is seen to give up. */
const CUT_MS = { least: 22_000, most: 28_000 };
/** An endpoint serves again so long after its database is back, in milliseconds. */
const BACK_MS = 20_000;

/** kill -9 of one endpoint of three. */
export const KILL_ENDPOINT: Scenario = {
  name: 'kill-endpoint',
  says: 'kill -9 of an endpoint: clients of the others see no failed request',
  endpoints: 3,
  workers: 1,
  sharesServers: true,
  async fault(scene) {
    const victim = scene.random.pick(scene.cluster.endpoints);
    scene.strike();
    const struck = performance.now();
    await victim.kill();
    await pause(between(scene, DOWN_MS));
    await victim.start();
    return { failedElsewhere: othersUnharmed(scene, victim, struck) };
  },
};

/** One endpoint of three has no database for a while, and is killed in that state every second time. */
export const CUT_ENDPOINT: Scenario = {
  name: 'cut-endpoint',
  says: 'an endpoint cut off from MongoDB says 503, and may die so; the others go on',
  endpoints: 3,
  workers: 1,
  sharesServers: true,
  async fault(scene) {
    const { cluster, random, history } = scene;
    const victim = random.pick(cluster.endpoints);
    const dies = random.next() < 0.5;
    scene.strike();
    const struck = performance.now();
    for (const proxy of victim.network.to(...cluster.mongoAddresses)) proxy.drop('out', 'back');
    await pause(between(scene, CUT_MS));
    const said503 = history.attempts.filter(
      ({ endpoint, from, outcome }) =>
        endpoint === victim.name &&
        from > struck &&
        outcome.kind === 'unknown' &&
        outcome.why.startsWith('503'),
    ).length;
    if (said503 === 0) scene.breach('the endpoint did not say that it could not reach its store');
    if (dies) await victim.kill();
    victim.network.heal();
    const healed = performance.now();
    await victim.start();
    const caller = cluster.callers.find(({ name }) => name === victim.name)!;
    const id = [...history.acknowledged.values()][0]!;
    const backMs = await within(BACK_MS, async () => (await caller.get(id)) !== null, healed);
    if (backMs === null) scene.breach(`the endpoint did not serve ${BACK_MS} ms after its database was back`);
    return {
      ...{ killed: Number(dies), said503, backMs: Math.round(backMs ?? BACK_MS) },
      failedElsewhere: othersUnharmed(scene, victim, struck),
    };
  },
};

function othersUnharmed(scene: Scene, victim: Member, since: number): number {
  const failed = failedElsewhere(scene, victim.name, since);
  if (failed > 0) scene.breach(`${failed} requests failed at other endpoints`);
  return failed;
}

function between(
  { random }: Scene,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  return least + random.next() * (most - least);
}
