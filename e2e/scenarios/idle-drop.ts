import type { Member } from './member.ts';
import { pause, within, type Figures, type Scenario, type Scene } from './scenario.ts';

/** How long a connection may be idle: from less than one waits for a message to more than anything waits. Milliseconds. */
const IDLE_MS = { least: 200, most: 8_000 };
const LAST_MS = { least: 15_000, most: 25_000 };
/** Everybody publishes again so long after the last connection was forgotten, in milliseconds. */
const BACK_MS = 60_000;
const PUBLISHED = 'hashcluster_bus_published_total';

/** Something between the processes and Kafka forgets connections that are idle, and tells nobody: as load balancers do. */
function idleDrop(name: string, client: string): Scenario {
  return {
    name,
    says: `idle connections to Kafka are silently dropped, all members, ${client}: all publish again`,
    endpoints: 2,
    workers: 2,
    sharesServers: true,
    campaignOnly: true,
    env: { KAFKA_CLIENT: client },
    fault: forgetIdle,
  };
}

export const IDLE_DROP = idleDrop('idle-drop', 'platformatic');
export const IDLE_DROP_KAFKAJS = idleDrop('idle-drop-kafkajs', 'kafkajs');

async function forgetIdle(scene: Scene): Promise<Figures> {
  const { cluster, random } = scene;
  const proxies = cluster.members.flatMap(({ network }) => network.to(cluster.kafkaAddress));
  const idleMs = Math.round(IDLE_MS.least * (IDLE_MS.most / IDLE_MS.least) ** random.next());
  scene.strike();
  for (const proxy of proxies) proxy.forgetIdle(idleMs);
  await pause(LAST_MS.least + random.next() * (LAST_MS.most - LAST_MS.least));
  const forgotten = proxies.reduce((sum, proxy) => sum + proxy.forgotten, 0);
  for (const proxy of proxies) proxy.heal();
  const healed = performance.now();
  const back = await Promise.all(cluster.members.map((member) => publishesAgain(member, healed)));
  for (const [i, took] of back.entries()) {
    if (took === null) scene.breach(`${cluster.members[i]!.name} did not publish within ${BACK_MS} ms`);
  }
  return { idleMs, forgotten, backMs: Math.round(Math.max(...back.map((took) => took ?? BACK_MS))) };
}

/** How long it took since `since`; null when it took too long. */
async function publishesAgain(member: Member, since: number): Promise<number | null> {
  const before = await member.metric(PUBLISHED);
  return within(BACK_MS, async () => (await member.metric(PUBLISHED)) > before, since);
}
