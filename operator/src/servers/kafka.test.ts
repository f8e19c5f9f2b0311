import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from '@jest/globals';
import { KafkaConnection } from './kafka-connection.ts';
import { KafkaServers, type KafkaTarget } from './kafka.ts';
import { startBroker } from './testing/broker.ts';
import { containerTrouble } from './testing/mongod.ts';

const IMAGE = 'apache/kafka:4.3.1';
const trouble = await containerTrouble(IMAGE);
const needs = trouble === null ? '' : ' (needs Docker)';
const LOGIN_MS = 20_000;
const START_MS = 120_000;

const ends: (() => Promise<void>)[] = [];
const kafka = new KafkaServers();

afterAll(async () => {
  for (const end of ends) await end();
});

/** Null: logged in; otherwise why not. */
async function login(host: string, user: string, password: string): Promise<string | null> {
  const connection = new KafkaConnection(host, LOGIN_MS);
  try {
    await connection.login({ user, password });
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    connection.close();
  }
}

async function becomes(expected: string | null, ask: () => Promise<string | null>): Promise<void> {
  let last: string | null = null;
  for (const end = performance.now() + START_MS; performance.now() < end;) {
    last = await ask();
    if (last === expected) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(last).toBe(expected);
}

/** Says the same to everybody, or (null) nothing. Resolves with `host:port`. */
async function startStranger(says: string | null): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (says !== null) socket.write(says);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const REFUSED =
  'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (error 58)';

describe('users of managed brokers', () => {
  (trouble === null ? test : test.skip)(
    `are formatted in, given passwords and dropped, each time twice${needs}`,
    async () => {
      const { host, password, remove } = await startBroker(IMAGE);
      ends.push(remove);
      await becomes(null, () => login(host, 'broker', password));
      for (const user of ['endpoint', 'endpoint-2'])
        expect(await login(host, user, 'endpoint-first')).toBeNull();
      // A broker that refuses is passed over.
      const target: KafkaTarget = { hosts: ['127.0.0.1:1', host], user: 'broker', password };
      for (const _ of [1, 2]) await kafka.setUsers(target, [{ name: 'worker-2', password: 'second-one' }]);
      await becomes(null, () => login(host, 'worker-2', 'second-one'));
      expect(await login(host, 'worker', 'worker-first')).toBeNull();
      for (const _ of [1, 2]) await kafka.dropUsers(target, ['worker']);
      await becomes(REFUSED, () => login(host, 'worker', 'worker-first'));
      expect(await login(host, 'worker-2', 'second-one')).toBeNull();
      const wrong = { ...target, password: 'not-this-one' };
      await expect(kafka.dropUsers(wrong, ['worker-2'])).rejects.toThrow(`${host}: ${REFUSED}`);
    },
    240_000,
  );

  test('are given up within a deadline where a broker does not answer', async () => {
    const host = await startStranger(null);
    const target: KafkaTarget = { hosts: [host, host], user: 'broker', password: 'x' };
    const quick = new KafkaServers({ brokerMs: 200, totalMs: 300 });
    await expect(quick.dropUsers(target, ['worker'])).rejects.toThrow(
      /^No broker changed the users: 127.0.0.1:\d+: no answer within/,
    );
  });

  test('are not changed by what is no broker', async () => {
    const hosts = [await startStranger('HTTP/1.1 400 Bad Request\r\n\r\n')];
    const changed = kafka.dropUsers({ hosts, user: 'broker', password: 'x' }, ['worker']);
    await expect(changed).rejects.toThrow('this is no answer of Kafka');
  });
});
