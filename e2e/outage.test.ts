import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hash } from 'node:crypto';
import { iterate } from './chaos/jobs.ts';
import { Network } from './faults/network.ts';
import { Client, until } from './lib/client.ts';
import { BIN, startRole, type RoleOptions } from './lib/service.ts';
import { freePorts } from './servers/ports.ts';
import { SharedServers } from './servers/shared.ts';

const LIMIT_MS = 120_000;
/** A refusal that has to wait for nothing. The machine may be busy with other things. */
const QUICK_MS = 2_000;
const NOBODY = '127.0.0.1:1';

const servers = await new SharedServers().need(['mongodb']);
const where = 'skipped' in servers ? describe.skip : describe;
const name = `outage-test-${process.pid}`;

const statusOf = async (url: string): Promise<number> => (await fetch(url).catch(() => null))?.status ?? 0;

where('an endpoint and a worker (needs Docker)', () => {
  const uri = servers['mongodb'] ?? '';
  const network = new Network(name);
  afterAll(() => network.stop());

  const options = (adminPort: number): RoleOptions => ({
    env: {
      ...{ MONGODB_URI: uri, MONGODB_DATABASE: name, KAFKA_BROKERS: NOBODY, HASH_ENGINES: '1' },
      ...network.env(),
    },
    args: ['--admin-port', String(adminPort)],
  });

  test(
    'wait for MongoDB, do without Kafka, refuse quickly while MongoDB is away, and go on when it is back',
    async () => {
      await network.link(new URL(uri).host);
      const [proxy] = network.to();
      proxy!.refuse();
      const [one, two] = (await freePorts(2)) as [number, number];
      const starting = Promise.all([startRole('endpoint', options(one)), startRole('worker', options(two))]);
      for (const port of [one, two]) {
        const url = `http://127.0.0.1:${port}`;
        await until('it lives', LIMIT_MS, async () => (await statusOf(`${url}/livez`)) === 200);
        expect(await statusOf(`${url}/readyz`)).toBe(503);
      }
      proxy!.heal();
      const [endpoint, worker] = await starting;
      const client = new Client(endpoint.url);
      const job = { data: name, iterations: 50_000 };
      expect(await client.submit(job, 60)).toMatchObject({ digest: iterate(hash('sha512', name), 49_999) });

      proxy!.refuse();
      proxy!.cut();
      const refusal = async () => {
        const began = performance.now();
        const answer = await fetch(`${endpoint.url}/v1/jobs`, {
          ...{ method: 'POST', body: JSON.stringify({ data: 'refused', iterations: 3_000 }) },
          headers: { 'content-type': 'application/json' },
        });
        await answer.arrayBuffer();
        return {
          status: answer.status,
          after: answer.headers.get('retry-after'),
          ms: performance.now() - began,
        };
      };
      await until('it refuses quickly', LIMIT_MS, async () => {
        const { status, after, ms } = await refusal();
        return status === 503 && after !== null && ms < QUICK_MS;
      });
      expect(await statusOf(`${endpoint.adminUrl}/readyz`)).toBe(503);
      expect(await statusOf(`${endpoint.adminUrl}/livez`)).toBe(200);
      expect(await statusOf(`${worker.adminUrl}/livez`)).toBe(200);

      proxy!.heal();
      await until('it is ready again', LIMIT_MS, async () =>
        (await Promise.all([endpoint, worker].map(({ adminUrl }) => statusOf(`${adminUrl}/readyz`)))).every(
          (status) => status === 200,
        ),
      );
      expect((await client.submit({ ...job, iterations: 60_000 }, 60)).state).toBe('done');
      expect(await Promise.all([endpoint.stop(), worker.stop()])).toEqual([0, 0]);
    },
    3 * LIMIT_MS,
  );

  test(
    'end well when they are told to stop while they still wait',
    async () => {
      const env = {
        ...process.env,
        NODE_OPTIONS: '',
        MONGODB_URI: `mongodb://${NOBODY}/?replicaSet=rs0`,
        KAFKA_BROKERS: NOBODY,
      };
      const [port] = await freePorts(1);
      const child = spawn(process.execPath, [BIN, 'worker', '--admin-port', String(port)], {
        env,
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      await until(
        'it lives',
        LIMIT_MS,
        async () => (await statusOf(`http://127.0.0.1:${port!}/livez`)) === 200,
      );
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    },
    LIMIT_MS,
  );
});
