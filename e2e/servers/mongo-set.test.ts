import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { until } from '../lib/client.ts';
import { dockerTrouble } from './docker.ts';
import { MongoSet } from './mongo-set.ts';

const LIMIT_MS = 180_000;
const where = (await dockerTrouble()) === null ? describe : describe.skip;

where('a replica set of three', () => {
  let set: MongoSet;
  let client: MongoClient;
  beforeAll(async () => {
    set = await MongoSet.start({ name: 'mongo-set', members: 3 });
    client = await MongoClient.connect(set.url, { writeConcern: { w: 'majority', journal: true } });
  }, LIMIT_MS);
  afterAll(async () => {
    await client.close();
    await set.close();
  }, LIMIT_MS);
  const numbers = () => client.db('test').collection<{ _id: number }>('numbers');

  test(
    'elects another primary when its own is killed, keeps what it confirmed, and takes the old one back (needs Docker)',
    async () => {
      await numbers().insertOne({ _id: 1 });
      const killed = (await set.primary())!;
      await set.kill(killed);
      await until('another primary', LIMIT_MS, async () => {
        const now = await set.primary();
        return now !== null && now !== killed;
      });
      await numbers().insertOne({ _id: 2 });
      await set.start(killed);
      await set.ready();
      expect(await numbers().countDocuments()).toBe(2);
    },
    LIMIT_MS,
  );

  test(
    'gives a member that lost its data everything again (needs Docker)',
    async () => {
      const wiped = ((await set.primary())! + 1) % 3;
      await set.wipe(wiped);
      await set.ready();
      const direct = await MongoClient.connect(
        `mongodb://127.0.0.1:${set.ports[wiped]!}/?directConnection=true&readPreference=secondary`,
      );
      expect(await direct.db('test').collection('numbers').countDocuments()).toBe(2);
      await direct.close();
    },
    LIMIT_MS,
  );

  test(
    'stands still and goes on, stops and starts, as often as it is told to (needs Docker)',
    async () => {
      const member = ((await set.primary())! + 1) % 3;
      for (const act of ['pause', 'unpause', 'stop', 'start', 'kill', 'start'] as const) {
        await set[act](member);
        await set[act](member);
      }
      await set.ready();
      expect(() => set.kill(3)).toThrow('There are 3 members, no number 3');
    },
    LIMIT_MS,
  );
});
