import { afterAll, describe, expect, test } from '@jest/globals';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { MongoClient } from 'mongodb';
import { generateValue } from '../apply/generate.ts';
import type { MongoMember } from '../plan/observed.ts';
import { type MemberAnswer, reportOf } from './mongo-report.ts';
import { MongoServers, type MongoTarget } from './mongodb.ts';
import { type Container, containerTrouble, startMongod } from './testing/mongod.ts';

const IMAGE = 'mongo:6.0';
const trouble = await containerTrouble(IMAGE);
const needs = trouble === null ? '' : ' (needs Docker)';

const containers: Container[] = [];
const mongo = new MongoServers();

afterAll(async () => {
  await Promise.all(containers.map(({ remove }) => remove()));
});

async function eventually<T>(ask: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  let last: unknown;
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    try {
      const value = await ask();
      if (wanted(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`It has not come about: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}

function member(host: string, id: number): MongoMember {
  return { id, host, votes: 1, priority: 1 };
}

describe('a managed replica set', () => {
  (trouble === null ? test : test.skip)(
    `is initiated, given users, grown and read, each time twice${needs}`,
    async () => {
      const keyfile = generateValue({ name: 'keyfile', bytes: 378, form: 'base64' });
      containers.push(...(await Promise.all([startMongod(IMAGE, keyfile), startMongod(IMAGE, keyfile)])));
      const hosts = containers.map(({ host }) => host);
      const target: MongoTarget = { setName: 'rs0', setId: null, hosts, keyfile: `${keyfile}\n` };
      const fresh = await eventually(
        () => mongo.report(target),
        () => true,
      );
      expect(fresh).toMatchObject({ config: null, primary: null, users: null, members: [] });
      expect(fresh.disks.map(({ host, used, total }) => [host, used > 0, total >= used])).toEqual(
        hosts.map((host) => [host, true, true]),
      );

      const [first, second] = hosts.map(member);
      await mongo.initiate(target, [first!]);
      await mongo.initiate(target, [first!]);
      const alone = await eventually(
        () => mongo.report(target),
        ({ primary }) => primary !== null,
      );
      expect(alone).toMatchObject({
        config: { setName: 'rs0', members: [first] },
        members: [{ host: hosts[0], state: 'PRIMARY', healthy: true }],
        ...{ primary: hosts[0], users: [] },
      });

      const user = { name: 'worker', password: 'one', roles: [{ role: 'readWrite', db: 'hashcluster' }] };
      await mongo.ensureUsers(target, [user]);
      await mongo.ensureUsers(target, [{ ...user, password: 'two' }]);
      expect((await mongo.report(target)).users).toEqual(['worker']);
      const login = new MongoClient(`mongodb://worker:two@${hosts[0]!}/hashcluster?authSource=admin`, {
        directConnection: true,
      });
      await login.db().collection('jobs').insertOne({ position: 1 });
      await expect(login.db('admin').command({ usersInfo: 1 })).rejects.toThrow('not authorized');
      await login.close();

      await mongo.ensureUsers(target, [{ ...user, name: 'worker-2', password: 'three' }]);
      await mongo.dropUsers(target, ['worker', 'gone']);
      await mongo.dropUsers(target, ['worker']);
      expect((await mongo.report(target)).users).toEqual(['worker-2']);

      const fromVersion = alone.config!.version;
      await mongo.reconfigure(target, { fromVersion, members: [first!, second!] });
      const again = mongo.reconfigure(target, { fromVersion, members: [first!, second!] });
      await expect(again).rejects.toThrow(`at version`);
      const both = await eventually(
        () => mongo.report(target),
        ({ members }) => members.some(({ state }) => state === 'SECONDARY'),
      );
      expect(both.config!.members).toEqual([first, second]);
      expect(both.primary).toBe(hosts[0]);

      const thief = mongo.report({ ...target, keyfile: 'wrong' });
      await expect(thief).rejects.toThrow(/Authentication failed/);
    },
    120_000,
  );

  test('is not known while nobody answers, and nobody waits for long', async () => {
    const hasty = new MongoServers({ connectMs: 50 });
    const target = { setName: 'rs0', setId: null, hosts: ['127.0.0.1:1'], keyfile: 'x' };
    await expect(hasty.report(target)).rejects.toThrow('1 members do not answer');
    await expect(hasty.ensureUsers(target, [])).rejects.toThrow('ECONNREFUSED');
  });

  test('is given up with its connections when a member accepts them and stays silent', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const patient = new MongoServers({ connectMs: 2_000, answerMs: 60_000, workMs: 300 });
      const target = { setName: 'rs0', setId: null, hosts: [host], keyfile: 'x' };
      await expect(patient.ensureUsers(target, [])).rejects.toThrow(`${host} has not answered within 300 ms`);
      await eventually(
        async () => sockets.size,
        (open) => open === 0,
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('a report', () => {
  const config = (version: number, term: number) => ({
    ...{ _id: 'rs0', version, term, settings: { replicaSetId: 'a1' } },
    members: [{ _id: 0, host: 'a:1', votes: 1, priority: 1 }],
  });
  const answer = (host: string, own: Partial<MemberAnswer>): MemberAnswer => ({
    ...{ host, isPrimary: false, config: null, members: [], users: null, disk: { used: 1, total: 2 } },
    ...own,
  });
  const down = new Error('no route');

  test.each<[string, MemberAnswer[], Error[], number | null, string | null]>([
    [
      'believes the primary',
      [answer('b:1', { config: config(9, 1) }), answer('a:1', { config: config(3, 1), isPrimary: true })],
      [],
      3,
      'a:1',
    ],
    [
      'believes no primary that was voted out',
      [answer('a:1', { config: config(3, 1), isPrimary: true }), answer('b:1', { config: config(4, 2) })],
      [],
      4,
      null,
    ],
    [
      'believes the newest configuration while there is no primary',
      [answer('a:1', {}), answer('b:1', { config: config(4, 2) })],
      [down],
      4,
      null,
    ],
    [
      'says that there is none when all members say so',
      [answer('a:1', {}), answer('b:1', {})],
      [],
      null,
      null,
    ],
  ])('%s', (_case, answers, failures, version, primary) => {
    const report = reportOf({ answers, failures, expected: null });
    expect([report.config?.version ?? null, report.primary]).toEqual([version, primary]);
  });

  test.each<[string, MemberAnswer[], Error[]]>([
    ['nobody answers', [], [down, down]],
    ['those who answer know of no set, but another might', [answer('a:1', {})], [down]],
  ])('cannot be made when %s', (_case, answers, failures) => {
    expect(() => reportOf({ answers, failures, expected: null })).toThrow('members do not answer: no route');
  });
});
