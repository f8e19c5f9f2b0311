import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hash } from 'node:crypto';
import { iterate } from './chaos/jobs.ts';
import { Client, until } from './lib/client.ts';
import type { Running } from './lib/child.ts';
import { startRole, type Service } from './lib/service.ts';
import { SharedServers } from './servers/shared.ts';

/** Nothing of what is done here takes long; the machine may be busy with other things. */
const LIMIT_MS = 90_000;
/** A job that nobody is going to end. */
const ENDLESS = 1e15;

const servers = await new SharedServers().need(['mongodb3', 'kafka']);
const where = 'skipped' in servers ? describe.skip : describe;

const name = `cluster-test-${process.pid}`;
const data = (what: string): string => `${name}/${what}`;
const digestOf = (what: string, iterations: number): string =>
  iterate(hash('sha512', data(what)), iterations - 1);

where('two endpoints and two workers on MongoDB and Kafka (needs Docker)', () => {
  const env = {
    MONGODB_URI: servers['mongodb3'] ?? '',
    MONGODB_DATABASE: name,
    KAFKA_BROKERS: servers['kafka'] ?? '',
    KAFKA_TOPIC_PREFIX: `${name}.`,
    KAFKA_PARTITIONS: '4',
    HASH_ENGINES: '1',
  };
  let endpoints: Service[] = [];
  let workers: Running[] = [];
  let clients: Client[] = [];

  const worker = (id: string): Promise<Running> => startRole('worker', { env: { ...env, WORKER_ID: id } });

  beforeAll(async () => {
    endpoints = await Promise.all([startRole('endpoint', { env }), startRole('endpoint', { env })]);
    clients = endpoints.map(({ url }) => new Client(url));
    workers = await Promise.all([worker('one'), worker('two')]);
  }, LIMIT_MS);
  afterAll(async () => {
    const codes = await Promise.all([...endpoints, ...workers].map((process) => process.stop()));
    expect(new Set(codes)).toEqual(new Set([0]));
  }, LIMIT_MS);

  /** Whatever endpoint is asked, it says the same. */
  const both = <T>(ask: (client: Client) => Promise<T>): Promise<T[]> => Promise.all(clients.map(ask));

  test(
    'every endpoint knows every worker',
    async () => {
      await until('both workers are known', LIMIT_MS, async () => {
        const known = await both((client) => client.workers());
        return known.every((items) => ['one', 'two'].every((id) => items.some((item) => item.id === id)));
      });
    },
    LIMIT_MS,
  );

  test(
    'jobs of every size, submitted everywhere, come to the digests that node:crypto gives',
    async () => {
      const sizes = [1, 2, 1_999, 2_001, 5_000, 20_000, 100_000, 300_000];
      const items = (of: string) =>
        sizes.map((iterations) => ({ data: data(`${of}/${iterations}`), iterations }));
      const answers = await Promise.all([
        clients[0]!.submitMany(items('a'), 60),
        clients[1]!.submitMany(items('b'), 60),
      ]);
      for (const [at, of] of ['a', 'b'].entries()) {
        const digests = answers[at]!.map(({ job }) => job?.digest);
        expect(digests).toEqual(sizes.map((iterations) => digestOf(`${of}/${iterations}`, iterations)));
      }
    },
    LIMIT_MS,
  );

  test(
    'an equal job submitted at both endpoints at once is one job, computed once',
    async () => {
      const item = { data: data('equal'), iterations: 200_000 };
      const [one, two] = await both((client) => client.submit(item, 60));
      expect(one).toEqual(two);
      expect(one).toMatchObject({ digest: digestOf('equal', 200_000), computed: 199_999 });
    },
    LIMIT_MS,
  );

  test(
    'a job can be waited for at another endpoint than where it was submitted',
    async () => {
      const { id } = await clients[0]!.submit({ data: data('elsewhere'), iterations: 400_000 });
      expect(await clients[1]!.get(id, 60)).toMatchObject({
        state: 'done',
        digest: digestOf('elsewhere', 400_000),
      });
    },
    LIMIT_MS,
  );

  test(
    'a longer job on a known chain computes only the difference, whoever knew it',
    async () => {
      await clients[0]!.submit({ data: data('chain'), iterations: 100_000 }, 60);
      const longer = await clients[1]!.submit({ data: data('chain'), iterations: 150_000 }, 60);
      expect(longer).toMatchObject({ digest: digestOf('chain', 150_000), computed: 50_000 });
    },
    LIMIT_MS,
  );

  test(
    'events of a job can be followed at another endpoint, to its end',
    async () => {
      const { id } = await clients[0]!.submit({ data: data('events'), iterations: 2_000_000 });
      const events = await clients[1]!.events(id);
      const positions = events.map(({ job }) => job.position);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      expect(events.at(-1)).toMatchObject({ type: 'end', job: { state: 'done', position: 2_000_000 } });
    },
    LIMIT_MS,
  );

  test(
    'a job that runs can be cancelled at another endpoint, and its worker lets go of it',
    async () => {
      const { id } = await clients[0]!.submit({ data: data('cancelled'), iterations: ENDLESS });
      await until('it runs', LIMIT_MS, async () => (await clients[1]!.get(id)).state === 'running');
      expect((await clients[1]!.cancel(id)).state).toBe('cancelled');
      expect((await clients[0]!.get(id)).state).toBe('cancelled');
      await until('nobody holds it', LIMIT_MS, async () =>
        (await clients[0]!.workers()).every(({ jobs }) => jobs === 0),
      );
    },
    LIMIT_MS,
  );

  test(
    'a worker that drains hands its job over where it stands, and ends well',
    async () => {
      const [client, other] = clients as [Client, Client];
      const { id } = await client.submit({ data: data('drained'), iterations: ENDLESS });
      await until('it runs', LIMIT_MS, async () => (await client.get(id)).position > 1);
      const owner = (await client.get(id)).worker!;
      const draining = workers.splice(owner === 'one' ? 0 : 1, 1)[0]!;
      expect(await draining.stop()).toBe(0);
      const { position } = await other.get(id);
      await until('the other goes on', LIMIT_MS, async () => {
        const job = await other.get(id);
        return job.worker !== owner && job.position > position;
      });
      await other.cancel(id);
    },
    LIMIT_MS,
  );

  test(
    'a worker that is killed loses nothing: another goes on from its checkpoints',
    async () => {
      const { id } = await clients[0]!.submit({ data: data('killed'), iterations: ENDLESS });
      await until('it runs', LIMIT_MS, async () => (await clients[0]!.get(id)).position > 1);
      const { position } = await clients[0]!.get(id);
      await Promise.all(workers.map((each) => each.kill()));
      workers = [await worker('three')];
      await until('it goes on', LIMIT_MS, async () => (await clients[1]!.get(id)).position > position);
      await clients[1]!.cancel(id);
    },
    LIMIT_MS,
  );
});
