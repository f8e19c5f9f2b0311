import { afterEach, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../plan/kube.ts';
import { type Phase, Reflector, type ReflectorOptions } from './reflector.ts';
import { Store } from './store.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { until } from './testing/until.ts';
import { Transport } from './transport.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const KIND = { apiVersion: 'v1', kind: 'Pod' };

function pod(name: string, value = 0, labels: Record<string, string> = {}): KubeObject {
  return { ...KIND, metadata: { namespace: 'a', name, labels }, spec: { value } };
}

async function setup(options: Partial<ReflectorOptions<KubeObject>> = {}) {
  const server = await FakeApiServer.start();
  const transport = new Transport({ config: server.config(), perSecond: 100_000, retryBudgetMs: 0 });
  const store = new Store<KubeObject>();
  const told: string[] = [];
  const trouble: [Phase, string][] = [];
  const missed: number[] = [];
  const reflector = new Reflector({
    ...{ kind: KIND, transport, store, backoff: { baseMs: 5, capMs: 50 } },
    onChange: ({ type, object }) => told.push(`${type} ${object.metadata.name}`),
    onTrouble: (phase, error) => trouble.push([phase, String(error)]),
    onMissed: (changes) => missed.push(changes),
    ...options,
  });
  stops.push(
    () => server.stop(),
    () => transport.stop(),
    () => reflector.stop(),
  );
  const start = async (): Promise<void> => {
    reflector.start();
    await reflector.synced;
    await until(() => server.watches === 1);
  };
  const equal = (): boolean => {
    const rows = (objects: readonly KubeObject[]) =>
      objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion ?? ''}`).sort();
    return JSON.stringify(rows(store.all())) === JSON.stringify(rows(server.all(KIND)));
  };
  const lists = (): number => server.requests.filter(({ query }) => !query.has('watch')).length;
  return { server, transport, store, told, trouble, missed, reflector, start, equal, lists };
}

describe('a reflector', () => {
  test('has what was there, page by page, and then what changes', async () => {
    const { server, store, told, start, reflector, lists } = await setup({ pageSize: 2 });
    for (const name of ['p', 'q', 'r', 's', 't']) server.put(pod(name));
    expect(reflector.hasSynced).toBe(false);
    await start();
    expect(lists()).toBe(3);
    expect(store.get('a', 't')).toMatchObject({ ...KIND, metadata: { namespace: 'a' } });
    server.put(pod('u'));
    server.put(pod('p', 1));
    server.remove(pod('q'));
    await until(() => told.length === 8);
    expect(told.slice(5)).toEqual(['added u', 'updated p', 'deleted q']);
    expect(server.requests.at(-1)!.query.get('allowWatchBookmarks')).toBe('true');
  });

  test('asks for one namespace and for labels only, and keeps what it is told to', async () => {
    const { server, store, start } = await setup({
      ...{ namespace: 'a', labelSelector: 'app=x' },
      keep: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
    });
    server.put(pod('p', 0, { app: 'x' }));
    server.put(pod('q'));
    server.put({ ...pod('r', 0, { app: 'x' }), metadata: { namespace: 'b', name: 'r' } });
    await start();
    expect(store.all().map((object) => Object.keys(object))).toEqual([['apiVersion', 'kind', 'metadata']]);
    expect(server.requests.every(({ path }) => path === '/api/v1/namespaces/a/pods')).toBe(true);
  });

  test('drops managed fields', async () => {
    const { server, store, start } = await setup();
    const { metadata, ...rest } = pod('p');
    server.put({ ...rest, metadata: { ...metadata, managedFields: [{}] } } as unknown as KubeObject);
    await start();
    expect(store.get('a', 'p')!.metadata).not.toHaveProperty('managedFields');
  });

  test('tells an object that was replaced under the same name as one gone and one new', async () => {
    const { server, told, start } = await setup();
    server.put(pod('p'));
    await start();
    server.muteWatches();
    server.remove(pod('p'));
    server.put(pod('p'));
    server.store.compact();
    server.cutWatches();
    await until(() => told.length === 3);
    expect(told).toEqual(['added p', 'deleted p', 'added p']);
  });

  test('surfaces a handler that throws, and goes on', async () => {
    const seen: string[] = [];
    const { server, trouble, start } = await setup({
      onChange: ({ object }) => {
        if (object.metadata.name === 'bad') throw new Error('cannot take it');
        seen.push(object.metadata.name);
      },
    });
    server.put(pod('bad'));
    await start();
    server.put(pod('good'));
    await until(() => seen.includes('good'));
    expect(trouble).toEqual([['handler', 'Error: cannot take it']]);
  });

  test('starts and stops as often as one likes, and leaves nothing open', async () => {
    const { server, reflector, start, transport } = await setup();
    await start();
    reflector.start();
    await Promise.all([reflector.stop(), reflector.stop()]);
    await until(() => server.watches === 0);
    reflector.start();
    await until(() => server.watches === 1);
    await reflector.stop();
    await transport.stop();
    await until(() => server.openSockets === 0);
  });
});

describe('a watch goes on after', () => {
  type Harm = (server: FakeApiServer) => void;
  const fail = (status: number): Harm => {
    return (server) => {
      server.fail({ kind: 'status', status }, 2, ({ query }) => query.has('watch'));
      server.cutWatches();
    };
  };

  test.each<[string, Harm, boolean]>([
    ['a reset', (server) => server.cutWatches(), false],
    ['a reset within a line', (server) => server.cutWatches('{"type":"ADDED","obj'), false],
    ['500', fail(500), false],
    ['429', fail(429), false],
    ['403', fail(403), false],
    ['410 by status', fail(410), true],
    [
      '410 by event',
      (server) => {
        server.store.compact();
        server.cutWatches();
      },
      true,
    ],
    [
      'an error by event',
      (server) => server.sendToWatches('{"type":"ERROR","object":{"code":500,"message":"etcd"}}\n'),
      false,
    ],
    ['a line that is garbage', (server) => server.sendToWatches('{"type":"ADD\n'), false],
    ['an event that is none', (server) => server.sendToWatches('{"type":"SURPRISE","object":{}}\n'), false],
  ])('%s', async (_case, harm, relists) => {
    const { server, trouble, start, equal, lists } = await setup();
    server.put(pod('p'));
    server.put(pod('gone'));
    await start();
    server.muteWatches();
    server.put(pod('p', 1));
    server.remove(pod('gone'));
    harm(server);
    await until(equal);
    expect(trouble.length).toBeGreaterThan(0);
    expect(trouble.every(([phase]) => phase === 'watch')).toBe(true);
    expect(lists() > 1).toBe(relists);
  });

  test('nonsense that comes again and again, by a new list', async () => {
    const { server, start, equal, lists } = await setup();
    await start();
    server.muted = true;
    server.put(pod('p'));
    while (lists() === 1) {
      server.sendToWatches('nonsense\n');
      await new Promise(setImmediate);
    }
    await until(equal);
  });

  test('a connection that is half open', async () => {
    const { server, start, equal, trouble } = await setup({ idleMs: 100 });
    await start();
    server.muteWatches();
    server.put(pod('p'));
    await until(equal);
    expect(trouble[0]).toEqual(['watch', expect.stringContaining('the watch was silent for 100 ms')]);
  });

  test('bookmarks have moved it, without a list although history is gone', async () => {
    const { server, reflector, start, equal, lists } = await setup();
    await start();
    server.put({ ...pod('elsewhere'), apiVersion: 'v1', kind: 'Service' });
    server.store.compact();
    const sent = performance.now();
    server.bookmark();
    await until(() => reflector.silentMs < performance.now() - sent);
    server.cutWatches();
    server.put(pod('p'));
    await until(equal);
    expect(lists()).toBe(1);
  });
});

test('a watch in which something is said again and again is not cut', async () => {
  const { server, start, trouble } = await setup({ idleMs: 2_000 });
  await start();
  for (const end = performance.now() + 2_500; performance.now() < end;) {
    server.bookmark();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(trouble).toEqual([]);
});

test('lists that fail are tried again', async () => {
  const { server, start, trouble, reflector } = await setup();
  server.fail({ kind: 'status', status: 500 }, 1);
  server.fail({ kind: 'reset' }, 1);
  server.fail({ kind: 'status', status: 410 }, 1);
  await start();
  expect(trouble.map(([phase]) => phase)).toEqual(['list', 'list', 'list']);
  expect(reflector.silentMs).toBeGreaterThanOrEqual(0);
});

test('a watch that is cut 200 times misses nothing and leaks no socket', async () => {
  const { server, start, equal, told } = await setup({ backoff: { baseMs: 1, capMs: 2 } });
  await start();
  for (let cut = 0; cut < 200; cut++) {
    server.put(pod(`p-${cut % 20}`, cut));
    if (cut % 3 === 0) server.remove(pod(`p-${(cut + 7) % 20}`));
    if (cut % 50 === 49) server.store.compact();
    server.cutWatches(cut % 2 === 0 ? undefined : '{"type":');
    server.put(pod(`q-${cut % 20}`, cut));
    await until(() => equal() && server.watches === 1);
  }
  expect(told.filter((line) => line.startsWith('added q'))).toHaveLength(20);
  await until(() => server.openSockets <= 2);
});

describe('an audit', () => {
  const AUDITED = { auditMs: 20, auditGraceMs: 10 };

  test.each<[string, (server: FakeApiServer) => void]>([
    ['an object that was never told', (server) => void server.put(pod('new'))],
    ['a change that was never told', (server) => void server.put(pod('p', 7))],
    ['a deletion that was never told', (server) => server.remove(pod('p'))],
  ])('finds %s', async (_case, change) => {
    const { server, start, equal, missed } = await setup(AUDITED);
    server.put(pod('p'));
    await start();
    server.muteWatches();
    change(server);
    await until(() => equal() && missed.length > 0);
    expect(missed).toEqual([1]);
    await until(() => server.watches === 1);
    server.put(pod('p', 8));
    await until(equal);
  });

  test('changes nothing where nothing was missed', async () => {
    const { server, start, trouble, missed, lists } = await setup(AUDITED);
    server.put(pod('p'));
    await start();
    await until(() => lists() >= 5);
    expect([trouble, missed, server.requests.length - lists()]).toEqual([[], [], 1]);
  });
});

test('a server that ends each watch at once is not asked without a pause', async () => {
  const { server, trouble, start, equal } = await setup({ backoff: { baseMs: 20, capMs: 20 } });
  await start();
  server.fail({ kind: 'empty' }, 3, ({ query }) => query.has('watch'));
  server.cutWatches();
  server.put(pod('p'));
  await until(equal);
  expect(trouble.slice(1)).toEqual(
    Array.from({ length: 3 }, () => ['watch', 'Error: the server ended the watch at once']),
  );
});
