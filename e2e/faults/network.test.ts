import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Network } from './network.ts';

/** The same call in the ways that libraries make it. */
const WAYS = {
  'net.connect with options': 'net.connect({ host: HOST, port: PORT })',
  'net.connect with port and host': 'net.connect(PORT, HOST)',
  'net.createConnection with options': 'net.createConnection({ host: HOST, port: PORT, family: 4 })',
  'connect of a new socket with options': 'new net.Socket().connect({ host: HOST, port: PORT })',
  'connect of a new socket with port and host': 'new net.Socket().connect(PORT, HOST)',
} as const;

function run(code: string, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: 20_000 };
    execFile(process.execPath, ['-e', code], options, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout.trim()),
    );
  });
}

describe('a process with a network of its own', () => {
  let server: Server;
  let port: number;
  const network = new Network('test');

  beforeAll(async () => {
    server = createServer((socket) => socket.on('error', () => undefined).end('the server'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ({ port } = server.address() as AddressInfo);
    await network.link(`127.0.0.1:${port}`);
  });
  afterAll(async () => {
    await network.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  const call = (way: string, host: string) => `
    const net = require('node:net');
    const [HOST, PORT] = ['${host}', ${port}];
    ${way}.on('data', (chunk) => console.log(String(chunk))).on('error', (error) => console.log(error.code));`;

  test.each(Object.entries(WAYS))('goes through its proxy: %s', async (_, way) => {
    for (const host of ['127.0.0.1', 'localhost']) {
      network.heal();
      expect(await run(call(way, host), network.env())).toBe('the server');
      for (const proxy of network.to()) proxy.refuse();
      expect(await run(call(way, host), network.env())).toBe('ECONNRESET');
    }
  });

  test.each(Object.entries(WAYS))('goes through its proxy at a Unix-domain socket: %s', async (_, way) => {
    const small = new Network('small', { smallBuffers: true });
    await small.link(`127.0.0.1:${port}`);
    expect(await run(call(way, 'localhost'), small.env())).toBe('the server');
    for (const proxy of small.to()) proxy.refuse();
    expect(await run(call(way, 'localhost'), small.env())).not.toBe('the server');
    await small.stop();
  });

  test('reaches other addresses directly', async () => {
    const other = new Network('other');
    await other.link('127.0.0.1:1');
    expect(await run(call(WAYS['net.connect with options'], '127.0.0.1'), other.env())).toBe('the server');
    await other.stop();
  });

  test('says which server has no proxy', () => {
    expect(() => network.to('127.0.0.1:2')).toThrow('There is no proxy before 127.0.0.1:2');
  });
});
