import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { KubeConfig } from '@kubernetes/client-node';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeApiServer } from '../control/testing/fake-api-server.ts';
import { until } from '../control/testing/until.ts';
import { Transport } from '../control/transport.ts';
import type { KubeObject, Pod } from '../plan/kube.ts';
import { report, worker } from '../plan/testing/scene.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { ApiWatch } from './api-facts.ts';
import { EndpointClient } from './endpoint-client.ts';
import { Poll } from './poll.ts';
import { factsOf, Secrets } from './secrets.ts';
import { Slots } from './slots.ts';
import { UsageBook } from './usage.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function api() {
  const server = await FakeApiServer.start();
  const transport = new Transport({ config: server.config(), retryBudgetMs: 0 });
  stops.push(
    () => server.stop(),
    () => transport.stop(),
  );
  return { server, transport };
}

class Hand implements Clock {
  at = 1_000_000;
  now(): number {
    return this.at;
  }
  monotonic(): number {
    return this.at;
  }
}

describe('a poll', () => {
  function setup(ask: () => Promise<number>) {
    const clock = new Hand();
    let news = 0;
    const poll = new Poll<number>({
      ...{ ask, clock, failingMs: 8_000, everyMs: () => 3_000, gist: (value) => Math.round(value) },
      onNews: () => news++,
    });
    return { clock, poll, news: () => news };
  }

  test('answers at once with what it heard last, and asks when that is due', async () => {
    let value = 1;
    const { clock, poll, news } = setup(async () => value);
    expect(poll.read()).toBeNull();
    await poll.idle();
    expect(poll.read()).toEqual({ at: 1_000_000, value: 1 });
    value = 1.2;
    clock.at += 2_999;
    poll.read();
    await poll.idle();
    expect(poll.read()).toMatchObject({ value: 1 });
    clock.at += 1;
    poll.read();
    await poll.idle();
    expect([poll.read(), news()]).toEqual([{ at: 1_003_000, value: 1.2 }, 1]);
  });

  test('asks at once when it is told that things have changed, also when an answer is under way', async () => {
    let asked = 0;
    const { poll } = setup(async () => ++asked);
    poll.read();
    poll.expire();
    await poll.idle();
    poll.read();
    await poll.idle();
    poll.read();
    await poll.idle();
    expect(asked).toBe(2);
    poll.expire();
    poll.read();
    await poll.idle();
    expect(poll.read()).toMatchObject({ value: 3 });
  });

  test('says what went wrong instead of what was, and asks less and less often', async () => {
    let asked = 0;
    const { clock, poll, news } = setup(async () => {
      asked++;
      throw new Error('no route');
    });
    const times: number[] = [];
    for (let before = 0; clock.at < 1_040_000; clock.at += 500) {
      poll.read();
      await poll.idle();
      if (asked > before) times.push(clock.at - 1_000_000);
      before = asked;
    }
    expect(times).toEqual([0, 1_000, 3_000, 7_000, 15_000, 23_000, 31_000, 39_000]);
    expect([poll.read(), news()]).toEqual([{ at: 1_039_000, error: 'no route' }, 1]);
  });
});

test('slots let a bounded number of things happen at once, also after failures', async () => {
  const slots = new Slots(2);
  let now = 0;
  let most = 0;
  const work = async (fails: boolean): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    if (fails) throw new Error('x');
  };
  await Promise.allSettled(Array.from({ length: 9 }, (_, i) => slots.run(() => work(i % 2 === 0))));
  expect([most, now]).toEqual([2, 0]);
});

describe('an endpoint', () => {
  async function setup(answer: (path: string, response: ServerResponse) => void) {
    const server = createServer((request, response) => answer(request.url ?? '', response)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const client = new EndpointClient();
    stops.push(async () => {
      client.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return { client, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test('is asked for the cluster and for its workers, and what is new in its answers is no trouble', async () => {
    const { client, origin } = await setup((path, response) => {
      const items = [{ ...worker('w-1'), node: 'n' }];
      response.end(JSON.stringify(path === '/v1/cluster' ? { ...report(2, 5), future: 1 } : { items }));
    });
    expect(await client.cluster(origin)).toEqual(report(2, 5));
    expect(await client.workers(origin)).toEqual([worker('w-1')]);
  });

  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      'is unwell',
      (response) => response.writeHead(503).end('{"title":"shed"}'),
      /\/v1\/cluster: 503: .*shed/,
    ],
    ['says something else', (response) => response.end('{"lanes": "many"}'), /\/v1\/cluster: .*lanes/s],
    ['says nonsense', (response) => response.end('<html>'), /JSON/],
    ['hangs up', (response) => void response.destroy(), /.+/],
  ])('is not believed when it %s', async (_case, answer, says) => {
    const { client, origin } = await setup((_path, response) => answer(response));
    await expect(client.cluster(origin)).rejects.toThrow(says);
  });
});

describe('secrets', () => {
  const SECRET: KubeObject = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'a', name: 'demo-mongodb-credentials' } },
    data: { b: Buffer.from('two').toString('base64'), a: Buffer.from('one').toString('base64') },
  };
  const CLUSTER = {
    metadata: { namespace: 'a', name: 'demo' },
    spec: { mongodb: { managed: {} }, kafka: { external: { tls: { enabled: false } } } },
  } as never;

  test('are known by their keys and a hash, and read again after a while or when they change by our hand', async () => {
    const { server, transport } = await api();
    const clock = new Hand();
    const secrets = new Secrets(transport, clock);
    expect(await secrets.facts(CLUSTER)).toEqual([]);
    server.put(SECRET);
    const [facts] = await secrets.facts(CLUSTER);
    expect(facts).toMatchObject({ name: 'demo-mongodb-credentials', keys: ['a', 'b'], owner: null });
    expect(facts!.plainHash).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(facts)).not.toContain('one');
    const { length } = server.requests;
    await secrets.facts(CLUSTER);
    // The other one does not exist, and is asked for each time.
    expect(server.requests).toHaveLength(length + 1);
    server.put({ ...SECRET, data: { a: 'eA==' } });
    secrets.forget(CLUSTER, ['demo-mongodb-credentials']);
    expect((await secrets.facts(CLUSTER))[0]!.keys).toEqual(['a']);
    await expect(secrets.value('a', SECRET.metadata.name, 'a')).resolves.toBe('x');
    const before = server.requests.length;
    await expect(secrets.value('a', SECRET.metadata.name, 'a')).resolves.toBe('x');
    expect(server.requests).toHaveLength(before);
    clock.at += 750_000;
    server.remove(SECRET);
    expect(await secrets.facts(CLUSTER)).toEqual([]);
  });

  test('have the hashes that the contract says', () => {
    const digests = Buffer.from('of this process');
    // printf 'a=b25l\nb=dHdv\n' | sha256sum, and | openssl dgst -sha256 -hmac c2VjcmV0
    expect(factsOf(SECRET, { digests, hash: 'c2VjcmV0' })).toMatchObject({
      ...{ plainHash: '783b42cbb5a4e010', hash: '3bb72978c78a9bdb' },
    });
    expect(factsOf(SECRET, { digests, hash: null }).hash).toBeNull();
  });

  test('have equal digests for equal values, whichever Secret they are in', async () => {
    const { server, transport } = await api();
    const secrets = new Secrets(transport, systemClock);
    server.put(SECRET);
    const name = 'demo-mongodb-credentials-applied';
    server.put({
      ...SECRET,
      metadata: { namespace: 'a', name },
      data: { ...(SECRET['data'] as object), a: 'eA==' },
    });
    const [wanted, applied] = await secrets.facts(CLUSTER);
    expect(wanted!.digests['b']).toBe(applied!.digests['b']);
    expect(wanted!.digests['a']).not.toBe(applied!.digests['a']);
  });

  test('that are deleted or changed are noticed within a minute', async () => {
    const { server, transport } = await api();
    const clock = new Hand();
    const secrets = new Secrets(transport, clock);
    server.put(SECRET);
    expect(await secrets.facts(CLUSTER)).toHaveLength(1);
    server.remove(SECRET);
    clock.at += 60_000;
    expect(await secrets.facts(CLUSTER)).toEqual([]);
  });

  test.each([
    ['a password', 'a.b_c~d-123', true],
    ['a short one', 'abc', false],
    ['one that would end the address', 'abcdefgh@i', false],
    ['an empty one', '', false],
  ])('say whether %s can stand in an address', (_, password, isValid) => {
    const data = { 'worker-password': Buffer.from(password).toString('base64') };
    const { invalid } = factsOf({ ...SECRET, data }, { digests: Buffer.alloc(1), hash: null });
    expect(invalid).toEqual(isValid ? [] : ['worker-password']);
  });

  test('give one value, or say what is missing', async () => {
    const { server, transport } = await api();
    const secrets = new Secrets(transport, systemClock);
    server.put(SECRET);
    await expect(secrets.value('a', SECRET.metadata.name, 'b')).resolves.toBe('two');
    await expect(secrets.value('a', SECRET.metadata.name, 'c')).rejects.toThrow('There is no key c');
    await expect(secrets.value('a', 'none', 'c')).rejects.toThrow('Secret a/none');
  });
});

describe('usage', () => {
  const pods = ['p', 'q'].map((name) => ({ metadata: { namespace: 'a', name } })) as unknown as Pod[];

  test('is read for all pods at once, and is unknown where it cannot be read', async () => {
    const { server, transport } = await api();
    server.put({
      ...{ apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' },
      metadata: {
        ...{ namespace: 'a', name: 'p' },
        labels: {
          'app.kubernetes.io/name': 'hashcluster',
          'app.kubernetes.io/managed-by': 'hashcluster-operator',
        },
      },
      timestamp: '2026-01-01T00:00:00Z',
      containers: [{ usage: { cpu: '250m', memory: '1Mi' } }, { usage: { cpu: '1500000000n' } }],
    });
    const clock = new Hand();
    const book = new UsageBook({ transport, namespaces: [undefined], clock });
    expect(book.of('a', pods)).toHaveProperty('error');
    await until(() => 'value' in book.of('a', pods));
    expect(book.of('a', pods)).toEqual({
      at: clock.at,
      value: [{ pod: 'p', at: Date.UTC(2026, 0, 1), cpuCores: 1.75, memoryBytes: 1024 ** 2 }],
    });
    expect(server.requests).toHaveLength(1);
    server.fail({ kind: 'status', status: 503 }, 1);
    clock.at += 15_000;
    await until(() => 'error' in book.of('a', pods));
  });
});

test.each([
  [{ timeouts: {} }, true],
  [{ filters: {} }, false],
])('whether an HTTPRoute has time-outs is read of its schema: %j', async (properties, expected) => {
  const server = createServer((request, response) => {
    const rules = { items: { properties } };
    const route = { properties: { spec: { properties: { rules } } } };
    const isSchema = request.url?.startsWith('/openapi/v3/apis/gateway.networking.k8s.io/v1');
    const schemas = { 'io.k8s.networking.gateway.v1.HTTPRoute': route };
    const body = isSchema ? { components: { schemas } } : { resources: [{ name: 'httproutes' }] };
    response.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  config.loadFromClusterAndUser(
    { name: 'a', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'b' },
  );
  const transport = new Transport({ config });
  stops.push(
    async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    () => transport.stop(),
  );
  const watch = new ApiWatch(transport, () => undefined);
  await watch.ask();
  expect(watch.facts).toMatchObject({ httpRoute: true, routeTimeouts: expected });
  await watch.stop();
});

test('what an API server lacks, or does not show, is not there', async () => {
  const { server, transport } = await api();
  const watch = new ApiWatch(transport, () => undefined);
  server.fail({ kind: 'status', status: 403 }, 1, ({ path }) => path.endsWith('storageclasses'));
  server.fail({ kind: 'status', status: 404 }, 2);
  await watch.ask();
  expect([watch.facts, watch.storageClasses]).toEqual([
    { httpRoute: false, podMetrics: false, routeTimeouts: false },
    null,
  ]);
  server.fail({ kind: 'status', status: 500 }, 3);
  await expect(watch.start()).rejects.toMatchObject({ status: 500 });
  await watch.stop();
});
