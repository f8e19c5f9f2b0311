import { describe, expect, test } from '@jest/globals';
import type { Action } from './action.ts';
import { envOf } from './desired/testing.ts';
import { secretFacts } from './testing/scene.ts';
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
    ['a password that Kafka was formatted with', 'kafka', 'worker-password', 'other'],
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

describe('a changed password', () => {
  /** User and Secret of MongoDB that workers are started with. */
  function worker(world: World): string {
    const { MONGODB_URI, MONGODB_PASSWORD } = envOf(world.child('Deployment', 'hc-worker'));
    const { name, key } = (JSON.parse(MONGODB_PASSWORD!) as { secretKeyRef: { name: string; key: string } })
      .secretKeyRef;
    return `${/\/\/([\w-]+):/.exec(MONGODB_URI!)![1]} ${name} ${key}`;
  }

  /** What is done about MongoDB and workers, in order. */
  function steps(log: readonly Action[]): string[] {
    return log.flatMap((action) => {
      if (action.kind === 'rotateMongoUsers') return [`set ${action.users.map(({ name }) => name).join()}`];
      if (action.kind === 'dropMongoUsers') return [`drop ${action.names.join()}`];
      return action.kind === 'apply' && action.object.kind === 'Deployment'
        ? [`roll out ${action.object.metadata.name}`]
        : [];
    });
  }

  test('of workers is given to another user, rolled out, and only then the user before is dropped', () => {
    const world = settled();
    expect(worker(world)).toBe(`worker ${CREDENTIALS.mongodb} worker-password`);
    for (const [value, user, before] of [
      ['second', 'worker-2', 'worker'],
      ['third', 'worker', 'worker-2'],
    ] as const) {
      const { length } = world.log;
      world.editSecret(CREDENTIALS.mongodb, 'worker-password', value);
      world.settle();
      expect(steps(world.log.slice(length))).toEqual([`set ${user}`, 'roll out hc-worker', `drop ${before}`]);
      expect(worker(world)).toBe(`${user} ${APPLIED.mongodb} ${user}-password`);
      expect(world.secrets.get(APPLIED.mongodb)!.digests[`${user}-password`]).toBe(value);
    }
  });

  test('is not applied again while pods may still use the user before', () => {
    const world = settled();
    world.editSecret(CREDENTIALS.mongodb, 'worker-password', 'second');
    world.step();
    world.editSecret(CREDENTIALS.mongodb, 'worker-password', 'third');
    const { length } = world.log;
    world.settle();
    expect(steps(world.log.slice(length))).toEqual([
      ...['roll out hc-worker', 'drop worker'],
      ...['set worker', 'roll out hc-worker', 'drop worker-2'],
    ]);
  });

  test('of a user that no pod has is set at once', () => {
    const world = settled();
    const { length } = world.log;
    world.editSecret(CREDENTIALS.mongodb, 'admin-password', 'second');
    world.settle();
    expect(steps(world.log.slice(length))).toEqual(['set admin']);
  });

  test('that cannot stand in an address is refused, and that is said', () => {
    const world = settled();
    world.editSecret(CREDENTIALS.mongodb, 'worker-password', 'a@b');
    const facts = world.secrets.get(CREDENTIALS.mongodb)!;
    world.secrets.set(CREDENTIALS.mongodb, { ...facts, invalid: ['worker-password'] });
    expect(kinds(world.step().actions)).toEqual([]);
    expect(degraded(world)).toMatch(
      /^InvalidPassword: Secret hc-mongodb-credentials: worker-password must be/,
    );
  });

  test('of a deleted Secret is the one in force when it is restored', () => {
    const world = settled();
    world.editSecret(CREDENTIALS.mongodb, 'worker-password', 'second');
    world.settle();
    world.secrets.delete(CREDENTIALS.mongodb);
    world.settle();
    expect(world.secrets.get(CREDENTIALS.mongodb)!.digests['worker-password']).toBe('second');
  });

  test('does not lock pods out when the copy of what was applied is lost', () => {
    const world = settled();
    world.editSecret(CREDENTIALS.mongodb, 'worker-password', 'second');
    world.settle();
    const before = [worker(world), world.secrets.get(APPLIED.mongodb)!.digests['worker-2-password']];
    world.secrets.delete(APPLIED.mongodb);
    const { length } = world.log;
    world.settle();
    expect(steps(world.log.slice(length))).toEqual([]);
    expect([worker(world), world.secrets.get(APPLIED.mongodb)!.digests['worker-2-password']]).toEqual(before);
  });
});
