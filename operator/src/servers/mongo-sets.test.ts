import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateValue } from '../apply/generate.ts';
import type { MongoMember, MongoReport } from '../plan/observed.ts';
import { MongoServers, type MongoTarget } from './mongodb.ts';
import { type Container, containerTrouble, startMongod } from './testing/mongod.ts';

const IMAGE = 'mongo:6.0';
const trouble = await containerTrouble(IMAGE);
const suite = trouble === null ? describe : describe.skip;
const needs = trouble === null ? '' : ' (needs Docker)';
const WITHIN_MS = 120_000;

const containers: Container[] = [];
const mongo = new MongoServers();
const keyfile = generateValue({ name: 'keyfile', bytes: 378, form: 'base64' });

afterAll(async () => {
  await Promise.all(containers.map(({ remove }) => remove()));
});

function member(host: string, id: number): MongoMember {
  return { id, host, votes: 1, priority: 1 };
}

async function until(
  target: MongoTarget,
  what: string,
  holds: (report: MongoReport) => boolean,
): Promise<MongoReport> {
  let last: unknown;
  for (const end = performance.now() + WITHIN_MS; performance.now() < end;) {
    try {
      const report = await mongo.report(target);
      if (holds(report)) return report;
      last = report;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`It is not so that ${what}: ${JSON.stringify(last)}`);
}

suite(`two replica sets of one name and keyfile${needs}`, () => {
  const hosts: string[] = [];
  const of = (setId: string | null, ...own: string[]): MongoTarget => {
    return { setName: 'rs0', setId, hosts: own, keyfile };
  };
  let ours = '';
  let theirs = '';

  beforeAll(async () => {
    containers.push(...(await Promise.all([0, 1, 2].map(() => startMongod(IMAGE, keyfile)))));
    hosts.push(...containers.map(({ host }) => host));
    const [a, b, other] = hosts as [string, string, string];
    await until(of(null, ...hosts), 'all answer', ({ identities }) => identities.length === 3);
    await mongo.initiate(of(null, a), [member(a, 0)]);
    await mongo.initiate(of(null, other), [member(other, 0)]);
    const alone = await until(of(null, a), 'the first has a primary', ({ primary }) => primary !== null);
    ours = alone.config!.setId;
    const { config } = await until(of(null, other), 'so has the other', ({ primary }) => primary !== null);
    theirs = config!.setId;
    const members = [member(a, 0), member(b, 1)];
    await mongo.reconfigure(of(ours, a), { fromVersion: alone.config!.version, members });
    const two = (report: MongoReport): boolean => report.members.some(({ state }) => state === 'SECONDARY');
    await until(of(ours, a, b), 'the second member is a secondary', two);
  }, 2 * WITHIN_MS);

  test('have ids that differ, and the expected one is reported, with who belongs to the other', async () => {
    expect(ours).toMatch(/^[0-9a-f]{24}$/);
    expect(theirs).not.toBe(ours);
    const report = await mongo.report(of(ours, ...hosts));
    expect(report.config!.setId).toBe(ours);
    expect(report.identities.find(({ host }) => host === hosts[2])).toEqual({
      ...{ host: hosts[2], setId: theirs, isPrimary: true },
    });
  }, 30_000);

  test('none is chosen while none is expected', async () => {
    expect(await mongo.report(of(null, ...hosts))).toMatchObject({ config: null, primary: null });
  }, 30_000);

  test('an action goes to the primary of the expected one only', async () => {
    const user = { name: 'worker', password: 'one', roles: [] };
    await mongo.ensureUsers(of(theirs, ...hosts), [user]);
    const users = async (setId: string) => (await mongo.report(of(setId, ...hosts))).users;
    expect([await users(theirs), await users(ours)]).toEqual([['worker'], []]);
  }, 30_000);

  test('the primary of the other is fenced, and the expected one goes on', async () => {
    await mongo.fence(of(ours, ...hosts), hosts[2]!);
    const report = await until(of(ours, ...hosts), 'the other has no primary', ({ identities }) =>
      identities.every(({ host, isPrimary }) => host !== hosts[2] || !isPrimary),
    );
    expect(report.primary).not.toBeNull();
    await mongo.fence(of(ours, ...hosts), report.primary!);
    expect((await mongo.report(of(ours, ...hosts))).primary).toBe(report.primary);
  }, 60_000);

  test('a primary hands over to the member that stays, and is removed', async () => {
    const { primary } = await mongo.report(of(ours, ...hosts));
    const stays = hosts.slice(0, 2).find((host) => host !== primary)!;
    const target = of(ours, ...hosts);
    await mongo.stepDown(target, { from: primary!, freeze: [] });
    const after = await until(target, 'the other one leads', (report) => report.primary === stays);
    const members = after.config!.members.filter(({ host }) => host === stays);
    await mongo.reconfigure(target, { fromVersion: after.config!.version, members });
    const alone = await until(target, 'one is left', ({ config }) => config?.members.length === 1);
    expect(alone.primary).toBe(stays);
    const removed = alone.identities.find(({ host }) => host === primary);
    expect(removed).toEqual({ host: primary, setId: ours, isPrimary: false });
  }, 120_000);
});
