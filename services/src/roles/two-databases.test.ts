import { afterEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { dropDatabase } from '../adapters/mongo/testing/kit.ts';
import { sharedServer } from '../runtime/testing/shared-server.ts';
import { startEndpoint } from './endpoint.ts';
import type { Running } from './running.ts';
import { endpointRole, workerRole } from './settings.ts';
import { startWorker } from './worker.ts';

const mongodb = await sharedServer('mongodb');
const kafka = await sharedServer('kafka');
const isThere = 'address' in mongodb && 'address' in kafka;
const suite = isThere ? describe : describe.skip;
const LIMIT_MS = 90_000;
const LOOK_MS = 100;

const name = `two-databases-${randomBytes(4).toString('hex')}`;
const sourcesOf = (database: string, client: string) => ({
  env: {
    MONGODB_URI: 'address' in mongodb ? mongodb.address : '',
    MONGODB_DATABASE: database,
    KAFKA_BROKERS: 'address' in kafka ? kafka.address : '',
    KAFKA_TOPIC_PREFIX: `${name}-${client}.`,
    KAFKA_PARTITIONS: '1',
    KAFKA_CLIENT: client,
    HASH_ENGINES: '1',
    HASH_BACKEND: 'node',
    LOG_LEVEL: 'silent',
  },
  flags: { host: '127.0.0.1', port: 0, adminHost: '127.0.0.1', adminPort: 0 },
  version: '1',
  logFormat: 'json' as const,
});

suite(`an endpoint and a worker on different databases${isThere ? '' : ' (needs Docker)'}`, () => {
  const running: Running[] = [];
  const databases = [`${name}-a`, `${name}-b`];
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop();
    const uri = sourcesOf('', '').env.MONGODB_URI;
    for (const database of databases) await dropDatabase({ uri, database });
  }, LIMIT_MS);

  test.each(['platformatic', 'kafkajs'])(
    'with one topic prefix say so in healthz, through %s, and stay ready',
    async (client) => {
      const { signal } = new AbortController();
      const endpoint = await startEndpoint(endpointRole(sourcesOf(databases[0]!, client)), signal);
      running.push(endpoint);
      running.push(await startWorker(workerRole(sourcesOf(databases[1]!, client)), signal));
      const health = async () =>
        (await (await fetch(`${endpoint.adminUrl}/healthz`)).json()) as Record<string, unknown>;
      const says = async (): Promise<boolean> =>
        JSON.stringify(await health()).includes('messages of another database');
      while (!(await says())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      expect((await fetch(`${endpoint.adminUrl}/readyz`)).status).toBe(200);
      const { items } = (await (await fetch(`${endpoint.url}/v1/workers`)).json()) as {
        readonly items: readonly unknown[];
      };
      expect(items).toEqual([]);
    },
    LIMIT_MS,
  );
});
