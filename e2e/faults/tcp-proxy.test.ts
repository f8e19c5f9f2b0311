import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../lib/client.ts';
import { Random } from './random.ts';
import { TcpProxy } from './tcp-proxy.ts';

const LIMIT_MS = 10_000;

/** Answers every byte with itself, and remembers what it got. */
class Echo {
  readonly server: Server = createServer((socket) => {
    this.sockets.add(socket.on('error', () => undefined));
    socket.on('data', (chunk) => {
      this.heard += chunk.toString();
      socket.write(chunk);
    });
  });
  readonly sockets = new Set<Socket>();
  heard = '';
}

/** A client that collects what comes back, and how it ended. */
class Caller {
  readonly socket: Socket;
  heard = '';
  error: string | null = null;

  constructor(at: number | string) {
    this.socket = typeof at === 'string' ? connect(at) : connect(at, '127.0.0.1');
    this.socket.on('data', (chunk) => (this.heard += chunk.toString()));
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code ?? 'unknown'));
  }
}

let echo: Echo;
let proxy: TcpProxy;
let port: number;
let caller: Caller;

beforeEach(async () => {
  echo = new Echo();
  await once(echo.server.listen(0, '127.0.0.1'), 'listening');
  const target = { host: '127.0.0.1', port: (echo.server.address() as AddressInfo).port };
  proxy = new TcpProxy({ target, random: new Random('test') });
  port = await proxy.start();
  caller = new Caller(port);
  caller.socket.write('first ');
  await until('an echo', LIMIT_MS, async () => caller.heard === 'first ');
});

afterEach(async () => {
  caller.socket.destroy();
  await proxy.stop();
  for (const socket of echo.sockets) socket.destroy();
  await new Promise((resolve) => echo.server.close(resolve));
});

/** Something that must not happen gets its chance: another connection goes all the way round first. */
async function another(): Promise<void> {
  const direct = new Caller((echo.server.address() as AddressInfo).port);
  direct.socket.write('x');
  await until('an echo past the proxy', LIMIT_MS, async () => direct.heard === 'x');
  direct.socket.destroy();
  echo.heard = echo.heard.replace('x', '');
}

describe('a proxy before a server', () => {
  test('holds back both directions, and loses nothing when it heals', async () => {
    proxy.drop('out', 'back');
    caller.socket.write('second');
    await another();
    expect(echo.heard).toBe('first ');
    proxy.heal();
    await until('the rest', LIMIT_MS, async () => caller.heard === 'first second');
  });

  test('lets requests out while it holds back answers', async () => {
    proxy.drop('back');
    caller.socket.write('second');
    await until('the request', LIMIT_MS, async () => echo.heard === 'first second');
    await another();
    expect(caller.heard).toBe('first ');
    proxy.heal();
    await until('the answer', LIMIT_MS, async () => caller.heard === 'first second');
  });

  test('lets answers in while it holds back requests', async () => {
    proxy.drop('out');
    caller.socket.write('second');
    for (const socket of echo.sockets) socket.write('unasked');
    await until('what the server said', LIMIT_MS, async () => caller.heard === 'first unasked');
    expect(echo.heard).toBe('first ');
  });

  test('takes new connections while it drops, but nothing gets through', async () => {
    proxy.drop('out', 'back');
    const late = new Caller(port);
    await once(late.socket, 'connect');
    late.socket.write('late');
    await another();
    expect(echo.heard).toBe('first ');
    proxy.heal();
    await until('the late one', LIMIT_MS, async () => late.heard === 'late');
    late.socket.destroy();
  });

  test('resets connections when it cuts, and takes new ones', async () => {
    proxy.cut();
    await until('a reset', LIMIT_MS, async () => caller.error === 'ECONNRESET');
    await until('no connection', LIMIT_MS, async () => proxy.size === 0);
    const next = new Caller(port);
    next.socket.write('again');
    await until('an echo', LIMIT_MS, async () => next.heard === 'again');
    next.socket.destroy();
  });

  test('resets new connections while it refuses, and leaves the others alone', async () => {
    proxy.refuse();
    const refused = new Caller(port);
    await until('a reset', LIMIT_MS, async () => refused.error !== null);
    caller.socket.write('second');
    await until('an echo', LIMIT_MS, async () => caller.heard === 'first second');
    proxy.heal();
    const taken = new Caller(port);
    taken.socket.write('third');
    await until('an echo', LIMIT_MS, async () => taken.heard === 'third');
    taken.socket.destroy();
  });

  test('forgets a connection that was idle, for good, and tells neither side', async () => {
    proxy.forgetIdle(0);
    caller.socket.write('second');
    await another();
    expect(echo.heard).toBe('first ');
    expect(proxy.forgotten).toBe(1);
    proxy.heal();
    caller.socket.write('third');
    await another();
    expect([echo.heard, caller.heard, caller.error]).toEqual(['first ', 'first ', null]);
    const next = new Caller(port);
    next.socket.write('fourth');
    await until('an echo', LIMIT_MS, async () => next.heard === 'fourth');
    next.socket.destroy();
  });

  test('leaves connections alone that were not idle for so long', async () => {
    proxy.forgetIdle(600_000);
    caller.socket.write('second');
    await until('an echo', LIMIT_MS, async () => caller.heard === 'first second');
    expect(proxy.forgotten).toBe(0);
  });

  test('holds a request that contains a text, and lets other connections go on', async () => {
    proxy.hold(Buffer.from('secret'));
    caller.socket.write('a secret');
    const other = new Caller(port);
    other.socket.write('other');
    await until('another echo', LIMIT_MS, async () => other.heard === 'other');
    await another();
    expect(caller.heard).toBe('first ');
    proxy.release();
    await until('the held echo', LIMIT_MS, async () => caller.heard === 'first a secret');
    caller.socket.write(' secret');
    await until('the rest', LIMIT_MS, async () => caller.heard === 'first a secret secret');
    other.socket.destroy();
  });

  test('is late, in order', async () => {
    proxy.delay(60);
    const began = performance.now();
    const digits = Array.from({ length: 20 }, (_, i) => `${i},`);
    for (const digit of digits) {
      caller.socket.write(digit);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('all of it', LIMIT_MS, async () => caller.heard === `first ${digits.join('')}`);
    expect(performance.now() - began).toBeGreaterThan(10);
  });

  test('passes the end of a stream on', async () => {
    caller.socket.end();
    await until('the end', LIMIT_MS, async () => proxy.size === 0);
    expect(caller.error).toBeNull();
  });

  test('passes much data on', async () => {
    const much = 'abcdefgh'.repeat(500_000);
    caller.socket.write(much);
    await until('all of it', LIMIT_MS, async () => caller.heard.length === much.length + 6);
    expect(caller.heard.endsWith(much)).toBe(true);
  });
});

describe('a proxy at a Unix-domain socket', () => {
  test('stalls in the middle of a large write, and loses nothing when it heals', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hashcluster-proxy-'));
    const target = { host: '127.0.0.1', port: (echo.server.address() as AddressInfo).port };
    const small = new TcpProxy({ target, random: new Random('test') });
    await small.startAt(join(dir, 'proxy.sock'));
    const { socket } = (caller = new Caller(join(dir, 'proxy.sock')));
    const stalled = small.stallInWrite(60_000);
    socket.write('small ');
    await until('an echo', LIMIT_MS, async () => caller.heard === 'small ');
    const much = 'abcdefgh'.repeat(125_000);
    const written = new Promise((resolve) => socket.write(much, resolve));
    await stalled;
    await another();
    expect(socket.writableNeedDrain).toBe(true);
    expect(caller.heard).toBe('small ');
    small.heal();
    await written;
    await until('all of it', LIMIT_MS, async () => caller.heard === `small ${much}`);
    small.refuse();
    const refused = new Caller(join(dir, 'proxy.sock'));
    await once(refused.socket, 'close');
    await small.stop();
    await rm(dir, { recursive: true });
  });
});

describe('random numbers by a seed', () => {
  test('are the same for the same seed, and others for another', () => {
    const draw = (seed: string) => {
      const random = new Random(seed);
      return [random.next(), random.whole(3, 9), random.pick(['a', 'b', 'c'])];
    };
    expect(draw('one')).toEqual(draw('one'));
    expect(draw('one')).not.toEqual(draw('two'));
  });
});
