import { describe, expect, test } from '@jest/globals';
import type { Action } from './action.ts';
import { envOf } from './desired/testing.ts';
import { plan } from './plan.ts';
import { pod as podOf, secretFacts } from './testing/scene.ts';
import { World } from './testing/world.ts';

const CREDENTIALS = { mongodb: 'hc-mongodb-credentials', kafka: 'hc-kafka-credentials' } as const;
const APPLIED = { mongodb: `${CREDENTIALS.mongodb}-applied`, kafka: `${CREDENTIALS.kafka}-applied` } as const;

function settled(): World {
  const world = new World();
  world.settle();
  return world;
}

function kinds(actions: readonly Action[]): string[] {
  return actions.map(({ kind }) => kind).filter((kind) => kind !== 'status' && kind !== 'event');
}

function degraded({ status }: World): string | null {
  const found = status?.conditions?.find(({ type }) => type === 'Degraded');
  return found?.status === 'True' ? `${found.reason}: ${found.message}` : null;
}

function events(actions: readonly Action[]): string[] {
  return actions.flatMap((action) => (action.kind === 'event' ? [action.reason] : []));
}

describe('credentials', () => {
  test('are made once, and kept a second time as they were applied', () => {
    const world = settled();
    for (const server of ['mongodb', 'kafka'] as const) {
      expect(world.secrets.get(APPLIED[server])!.digests).toEqual(
        world.secrets.get(CREDENTIALS[server])!.digests,
      );
    }
  });

  test.each(['mongodb', 'kafka'] as const)('of %s that are deleted are restored, not made anew', (server) => {
    const world = settled();
    const before = world.secrets.get(CREDENTIALS[server])!.digests;
    world.secrets.delete(CREDENTIALS[server]);
    const { actions } = world.step();
    expect([kinds(actions), events(actions)]).toEqual([['copySecret'], ['SecretRestored']]);
    expect(world.secrets.get(CREDENTIALS[server])!.digests).toEqual(before);
    expect(world.step().actions).toEqual([]);
  });

  test.each(['mongodb', 'kafka'] as const)(
    'of %s are not made anew where volumes hold data, and that is said',
    (server) => {
      const world = settled();
      const before = world.secrets.get(CREDENTIALS[server])!;
      world.secrets.delete(CREDENTIALS[server]);
      world.secrets.delete(APPLIED[server]);
      expect(kinds(world.step().actions)).toEqual([]);
      expect(degraded(world)).toMatch(
        new RegExp(`^SecretMissing: Secret ${CREDENTIALS[server]} is missing, and`),
      );
      world.secrets.set(before.name, before);
      world.settle();
      expect([degraded(world), world.secrets.get(APPLIED[server])?.digests]).toEqual([null, before.digests]);
    },
  );

  test('of somebody else are neither used nor copied', () => {
    const world = new World();
    world.secrets.set(CREDENTIALS.mongodb, secretFacts(CREDENTIALS.mongodb, { instance: null }));
    const { actions } = world.step();
    const copied = actions.filter((action) => action.kind === 'copySecret').map(({ from }) => from);
    const made = actions.flatMap((action) => (action.kind === 'apply' ? [action.object] : []));
    expect(copied).toEqual([CREDENTIALS.kafka]);
    expect(made.filter(({ kind }) => kind === 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual([
      'hc-kafka',
    ]);
    expect(made.filter(({ kind }) => kind === 'Deployment')).toEqual([]);
  });

  test.each([
    ['a keyfile', 'mongodb', 'keyfile', 'other'],
    ['a cluster id', 'kafka', 'cluster-id', 'other'],
    ['a password by which brokers know each other', 'kafka', 'broker-password', 'other'],
    ['a password by which controllers know each other', 'kafka', 'controller-password', 'other'],
    ['a password of Kafka that is missing', 'kafka', 'worker-password', undefined],
    ['a password that is missing', 'mongodb', 'worker-password', undefined],
  ] as const)('get back %s, which cannot be changed', (_, server, key, value) => {
    const world = settled();
    const before = world.secrets.get(CREDENTIALS[server])!.digests;
    world.editSecret(CREDENTIALS[server], key, value);
    const { actions } = world.step();
    expect([kinds(actions), events(actions)]).toEqual([['patchSecret'], ['SecretRestored']]);
    expect(world.secrets.get(CREDENTIALS[server])!.digests).toEqual(before);
  });
});

describe.each(['mongodb', 'kafka'] as const)('a changed password of %s', (server) => {
  const credentials = CREDENTIALS[server];
  const applied = APPLIED[server];
  const [SET, DROP] =
    server === 'mongodb'
      ? (['rotateMongoUsers', 'dropMongoUsers'] as const)
      : (['rotateKafkaUsers', 'dropKafkaUsers'] as const);

  /** User and Secret of the server that workers are started with. */
  function worker(world: World): string {
    const { MONGODB_URI, MONGODB_PASSWORD, KAFKA_USERNAME, KAFKA_PASSWORD } = envOf(
      world.child('Deployment', 'hc-worker'),
    );
    const [user, password] =
      server === 'mongodb'
        ? [/\/\/([\w-]+):/.exec(MONGODB_URI!)![1], MONGODB_PASSWORD]
        : [KAFKA_USERNAME, KAFKA_PASSWORD];
    const { name, key } = (JSON.parse(password!) as { secretKeyRef: { name: string; key: string } })
      .secretKeyRef;
    return `${user} ${name} ${key}`;
  }

  /** What is done about the server and workers, in order. */
  function steps(log: readonly Action[]): string[] {
    return log.flatMap((action) => {
      if (action.kind === SET) return [`set ${action.users.map(({ name }) => name).join()}`];
      if (action.kind === DROP) return [`drop ${action.names.join()}`];
      return action.kind === 'apply' && action.object.kind === 'Deployment'
        ? [`roll out ${action.object.metadata.name}`]
        : [];
    });
  }

  test('of workers is given to another user, rolled out, and only then the user before is dropped', () => {
    const world = settled();
    expect(worker(world)).toBe(`worker ${credentials} worker-password`);
    for (const [value, user, before] of [
      ['second', 'worker-2', 'worker'],
      ['third', 'worker', 'worker-2'],
    ] as const) {
      const { length } = world.log;
      world.editSecret(credentials, 'worker-password', value);
      world.settle();
      expect(steps(world.log.slice(length))).toEqual([`set ${user}`, 'roll out hc-worker', `drop ${before}`]);
      expect(worker(world)).toBe(`${user} ${applied} ${user}-password`);
      expect(world.secrets.get(applied)!.digests[`${user}-password`]).toBe(value);
    }
  });

  test('is not applied again while pods may still use the user before', () => {
    const world = settled();
    world.editSecret(credentials, 'worker-password', 'second');
    world.step();
    world.editSecret(credentials, 'worker-password', 'third');
    const { length } = world.log;
    world.settle();
    expect(steps(world.log.slice(length))).toEqual([
      ...['roll out hc-worker', 'drop worker'],
      ...['set worker', 'roll out hc-worker', 'drop worker-2'],
    ]);
  });

  test('that cannot stand in an address is refused, and that is said', () => {
    const world = settled();
    world.editSecret(credentials, 'worker-password', 'a@b');
    const facts = world.secrets.get(credentials)!;
    world.secrets.set(credentials, { ...facts, invalid: ['worker-password'] });
    expect(kinds(world.step().actions)).toEqual([]);
    expect(degraded(world)).toMatch(
      new RegExp(`^InvalidPassword: Secret ${credentials}: worker-password must be`),
    );
  });

  test('of a deleted Secret is the one in force when it is restored', () => {
    const world = settled();
    world.editSecret(credentials, 'worker-password', 'second');
    world.settle();
    world.secrets.delete(credentials);
    world.settle();
    expect(world.secrets.get(credentials)!.digests['worker-password']).toBe('second');
  });

  test('does not lock pods out when the copy of what was applied is lost', () => {
    const world = settled();
    world.editSecret(credentials, 'worker-password', 'second');
    world.settle();
    const before = [worker(world), world.secrets.get(applied)!.digests['worker-2-password']];
    world.secrets.delete(applied);
    const { length } = world.log;
    world.settle();
    // Kafka is not asked for its users: the other one is dropped, whether it exists or not.
    const drops = server === 'kafka' ? ['drop endpoint-2,worker'] : [];
    expect(steps(world.log.slice(length))).toEqual(drops);
    expect([worker(world), world.secrets.get(applied)!.digests['worker-2-password']]).toEqual(before);
  });
});

test('a changed password of a user that no pod has is set at once', () => {
  const world = settled();
  const { length } = world.log;
  world.editSecret(CREDENTIALS.mongodb, 'admin-password', 'second');
  world.settle();
  const done = world.log.slice(length).filter(({ kind }) => /Mongo/.test(kind));
  expect(done).toMatchObject([{ kind: 'rotateMongoUsers', users: [{ name: 'admin' }] }]);
});

describe('a password of Kafka that is being changed', () => {
  function changed(): World {
    const world = settled();
    world.editSecret(CREDENTIALS.kafka, 'worker-password', 'second');
    return world;
  }

  test('is said in the status', () => {
    const world = changed();
    world.step();
    const progressing = world.status?.conditions?.find(({ type }) => type === 'Progressing');
    expect(progressing?.message).toContain('Rotating the password of Kafka user worker');
  });

  test('is set and dropped by the brokers’ own user, with the password in force', () => {
    const world = changed();
    const { length } = world.log;
    world.settle();
    const secret = { name: APPLIED.kafka, key: 'broker-password' };
    const calls = world.log.slice(length).filter(({ kind }) => /Kafka/.test(kind));
    expect(calls).toMatchObject([
      { kind: 'rotateKafkaUsers', address: { user: 'broker', secret } },
      { kind: 'dropKafkaUsers', address: { user: 'broker', secret } },
    ]);
  });

  test('waits while no broker runs', () => {
    const world = changed();
    const brokers = /^hc-kafka-/;
    const observed = world.observe();
    const pods = observed.pods.filter(({ metadata }) => !brokers.test(metadata.name));
    const kept = plan({ ...observed, pods }).actions.filter(({ kind }) => /Kafka/.test(kind));
    expect(kept).toEqual([]);
  });

  test('does not restart brokers', () => {
    const world = changed();
    const { length } = world.log;
    world.settle();
    expect(world.log.slice(length).filter(({ kind }) => kind === 'evict')).toEqual([]);
  });

  test('leaves the user before while a pod that has it is still leaving', () => {
    const world = changed();
    world.step();
    world.step();
    const observed = world.observe();
    const leaving = podOf('hc-worker-old', { component: 'worker', leaving: 0 });
    const actions = (pods: typeof observed.pods) =>
      plan({ ...observed, pods }).actions.filter(({ kind }) => kind === 'dropKafkaUsers').length;
    expect([actions(observed.pods), actions([...observed.pods, leaving])]).toEqual([1, 0]);
  });
});
