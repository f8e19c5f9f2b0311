import { describe, expect, test } from '@jest/globals';
import { SettingsError, type Env } from '../runtime/settings.ts';
import { endpointRole, workerRole, type RoleFlags, type Sources } from './settings.ts';

const SERVERS = { MONGODB_URI: 'mongodb://me:secret@db/?replicaSet=rs0', KAFKA_BROKERS: 'a:9092,b:9092' };

function sources(env: Env = {}, flags: RoleFlags = {}): Sources {
  return { env: { ...SERVERS, ...env }, flags, version: '1.2.3', logFormat: 'json' };
}

/** All that is wrong, a line each. */
function faults(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
  return [];
}

describe('an endpoint among others', () => {
  test('needs to know where its servers are, and listens on every address', () => {
    const { mongo, kafka, served, process } = endpointRole(sources());
    expect(mongo).toEqual({ uri: SERVERS.MONGODB_URI, database: 'hashcluster', replicaSetId: null });
    expect(kafka).toMatchObject({ brokers: ['a:9092', 'b:9092'], tls: null, sasl: null });
    expect(served).toMatchObject({ mode: 'cluster', version: '1.2.3', host: '::', port: 5000 });
    expect(process).toMatchObject({ adminHost: '::', adminPort: 9090 });
  });

  test('does what flags say before what the environment says', () => {
    const env = {
      LISTEN_HOST: '10.0.0.1',
      LISTEN_PORT: '1',
      ADMIN_PORT: '2',
      LOG_LEVEL: 'error',
      HASH_BACKEND: 'node',
    };
    const flags = { host: '127.0.0.1', port: 0, adminPort: 0, logLevel: 'debug', backend: 'wasm' } as const;
    const { served, process, backend } = endpointRole(sources(env, flags));
    expect(served).toMatchObject({ host: '127.0.0.1', port: 0 });
    expect(process).toMatchObject({ adminPort: 0, log: { level: 'debug', format: 'json' } });
    expect(backend).toBe('wasm');
  });

  test.each([
    [{ POD_NAME: 'pod-1' }, 'pod-1'],
    [{ POD_NAME: 'pod-1', ENDPOINT_ID: 'mine' }, 'mine'],
    [{}, null],
  ])('with %j is called %s', (env: Env, id) => {
    expect(endpointRole(sources(env)).served.id).toBe(id);
  });

  test('tells all that is wrong at once, and never a secret', () => {
    const env = {
      MONGODB_URI: 'http://me:secret@db',
      MONGODB_DATABASE: 'a b',
      MONGODB_REPLICA_SET_ID: 'rs0',
      KAFKA_BROKERS: 'a',
      KAFKA_CLIENT: 'other',
      KAFKA_USERNAME: 'me',
      LISTEN_PORT: 'x',
      ADMIN_PORT: '-1',
      LOG_LEVEL: 'loud',
      HASH_BACKEND: 'abacus',
      RESULT_RETENTION: '1',
      OTEL_TRACES_EXPORTER: 'carrier-pigeon',
    };
    const told = faults(() => endpointRole(sources(env)));
    const named = told.map((line) => line.split(':', 1)[0]);
    expect(named.toSorted()).toEqual(
      [...Object.keys(env).filter((name) => name !== 'KAFKA_USERNAME'), 'KAFKA_PASSWORD'].toSorted(),
    );
    expect(told.join()).not.toContain('secret');
  });

  test.each([
    [{ MONGODB_URI: '' }, 'MONGODB_URI: is needed'],
    [{ KAFKA_BROKERS: '' }, 'KAFKA_BROKERS: is needed'],
    [{ KAFKA_PASSWORD: 'secret' }, 'KAFKA_USERNAME: is needed'],
  ])('with %j says %s', (env: Env, text) => {
    expect(faults(() => endpointRole(sources(env))).join()).toContain(text);
  });
});

describe('Kafka with a password and certificates', () => {
  test.each([
    [{ KAFKA_TLS: 'true' }, { tls: { caFile: null } }],
    [{ KAFKA_TLS_CA_FILE: '/ca.pem' }, { tls: { caFile: '/ca.pem' } }],
    [{ KAFKA_TLS_CA_FILE: '/ca.pem', KAFKA_TLS: 'false' }, { tls: null }],
    [
      { KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 'p' },
      { sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'p' } },
    ],
    [
      { KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 'p', KAFKA_SASL_MECHANISM: 'plain' },
      { sasl: { mechanism: 'plain', username: 'me', password: 'p' } },
    ],
  ])('%j is %j', (env: Env, expected) => {
    expect(workerRole(sources(env)).kafka).toMatchObject(expected);
  });
});

test.each([
  ['a:9092', 1],
  ['a:9092,b:9092', 2],
  ['a:9092,b:9092,c:9092,d:9092', 3],
])('topics on %s are kept by %d brokers unless something else is said', (brokers, copies) => {
  expect(workerRole(sources({ KAFKA_BROKERS: brokers })).kafka.replication).toBe(copies);
  const said = { KAFKA_BROKERS: brokers, KAFKA_REPLICATION: '1' };
  expect(workerRole(sources(said)).kafka.replication).toBe(1);
});

describe('a worker among others', () => {
  test('has a name of its own at each start, also in the same pod', () => {
    const ids = [1, 2].map(() => workerRole(sources({ POD_NAME: 'pod-1', NODE_NAME: 'n' })).worker);
    expect(ids[0]!.id).toMatch(/^pod-1-[0-9a-f]{10}$/);
    expect(ids[0]!.id).not.toBe(ids[1]!.id);
    expect(ids[0]).toMatchObject({ host: 'pod-1', node: 'n' });
  });

  test('takes the name that it is given', () => {
    expect(workerRole(sources({ WORKER_ID: 'w-1' })).worker.id).toBe('w-1');
    expect(faults(() => workerRole(sources({ WORKER_ID: 'w 1' })))).toHaveLength(1);
  });

  test('has the engines that it is told to have, one per core otherwise', () => {
    expect(workerRole(sources()).hashing).toEqual({ backend: null, engines: null });
    expect(workerRole(sources({ HASH_ENGINES: '2' })).hashing.engines).toBe(2);
    expect(workerRole(sources({ HASH_ENGINES: '2' }, { engines: 1 })).hashing.engines).toBe(1);
  });

  test('does not care for the settings of endpoints', () => {
    expect(faults(() => workerRole(sources({ LISTEN_PORT: 'x' })))).toEqual([]);
  });
});
