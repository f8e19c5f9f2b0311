import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containersHere } from './container.ts';
import { docker, dockerTrouble } from './docker.ts';
import { hello, MongoSet } from './mongo-set.ts';
import { SharedServers } from './shared.ts';

const LIMIT_MS = 180_000;
const where = (await dockerTrouble()) === null ? describe : describe.skip;

let folder: string;
let servers: SharedServers;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashcluster-servers-'));
  servers = new SharedServers(folder);
});
afterAll(async () => {
  await servers.remove();
  await rm(folder, { recursive: true });
}, LIMIT_MS);

const own = async () => (await containersHere()).filter(({ owner }) => owner.startsWith(folder));

where('shared servers', () => {
  test(
    'are started once, whoever asks and whenever (needs Docker)',
    async () => {
      const [first, ...others] = await Promise.all(
        Array.from({ length: 3 }, () => new SharedServers(folder).need(['mongodb'])),
      );
      expect(first!['mongodb']).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/\?replicaSet=rs0$/);
      expect(others).toEqual([first, first]);
      expect(await servers.need(['mongodb'])).toEqual(first);
      expect(await servers.running()).toEqual(first);
      expect(await own()).toHaveLength(1);
    },
    LIMIT_MS,
  );

  test(
    'are gone, with their files, when they are taken down; what a living test has started is not (needs Docker)',
    async () => {
      const { mongodb } = await servers.need(['mongodb']);
      const port = Number(new URL(mongodb!).port);
      const living = await MongoSet.start({ name: 'living', fast: true });
      try {
        expect(await servers.remove()).toEqual([expect.stringMatching(/^hashcluster-test-mongodb-\w+-1$/)]);
        expect(await hello(port)).toBeNull();
        expect(await hello(living.ports[0]!)).not.toBeNull();
        expect(await own()).toEqual([]);
        expect((await readdir(folder)).filter((file) => file.endsWith('.json'))).toEqual([]);
        expect(await servers.remove()).toEqual([]);
      } finally {
        await living.close();
      }
    },
    LIMIT_MS,
  );

  test(
    'that died are replaced, and what is left of dead tests is removed (needs Docker)',
    async () => {
      // No process has this id: it is beyond what Linux gives out.
      const orphan = await MongoSet.start({ name: 'orphan', fast: true, owner: String(2 ** 30) });
      const before = await servers.need(['mongodb']);
      const [{ name } = { name: '' }] = await own();
      await docker(['kill', name]);
      const after = await servers.need(['mongodb']);
      expect(after['mongodb']).not.toBe(before['mongodb']);
      expect(await own()).not.toContainEqual(expect.objectContaining({ name }));
      expect(await servers.remove()).toEqual(expect.arrayContaining([...orphan.containers]));
    },
    LIMIT_MS,
  );
});
