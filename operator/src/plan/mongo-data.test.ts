import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ClusterSpecInput } from '../api/spec.ts';
import type { Condition } from '../api/status.ts';
import { plan } from './plan.ts';
import { MongoModel } from './testing/mongo-model.ts';
import { World } from './testing/world.ts';

function specOf(replicas: number): ClusterSpecInput {
  return { deletionPolicy: 'Retain', mongodb: { managed: { replicas } } };
}

function worldOf(replicas: number): { world: World; data: MongoModel } {
  const world = new World(specOf(replicas));
  const data = new MongoModel();
  world.data = data;
  steps(world, 20);
  return { world, data };
}

function steps(world: World, count: number): void {
  for (let step = 0; step < count; step += 1) world.step();
}

/** Volumes of these members become what they were, or will be, in that election term. */
function setTerm(world: World, ordinals: readonly number[], term: number): void {
  const { volumes } = world.data!;
  const [first] = volumes.values();
  const config = { ...first!.config, term };
  for (const ordinal of ordinals) {
    const { uid } = world.child('PersistentVolumeClaim', `data-hc-mongodb-${ordinal}`).metadata;
    volumes.get(uid!)!.config = config;
  }
}

function condition(world: World, type: string): Condition {
  return world.status!.conditions!.find((candidate) => candidate.type === type)!;
}

function eventsOf(world: World): string[] {
  return world.log.flatMap((action) => (action.kind === 'event' ? [action.reason] : []));
}

/** Annotations of the claims of three members. */
function notesOf(world: World): unknown[] {
  return [0, 1, 2].map(
    (ordinal) => world.child('PersistentVolumeClaim', `data-hc-mongodb-${ordinal}`).metadata.annotations,
  );
}

function setsOnVolumes({ volumes }: MongoModel): string[] {
  return [...new Set([...volumes.values()].map(({ config }) => config.setId))];
}

describe('data of the managed replica set', () => {
  test('its id is remembered in the status and on every claim', () => {
    const { world } = worldOf(3);
    expect(world.status?.replicaSet?.id).toBe('set1');
    expect(notesOf(world)).toEqual(Array(3).fill({ 'hashcluster.io/replica-set-id': 'set1' }));
    expect(condition(world, 'Ready').status).toBe('True');
  });

  test('volume 0 lost, made anew with one member: it starts from the other volumes, and no second set is made', () => {
    const { world, data } = worldOf(3);
    world.recreate(specOf(1));
    world.loseVolume(0);
    const { acknowledged } = data;
    steps(world, 3);
    expect(eventsOf(world)).toContain('StartsFromVolumes');
    steps(world, 30);
    expect(data.made).toEqual(['set1']);
    expect(data.acknowledged).toBeGreaterThan(acknowledged);
    world.change(specOf(3));
    steps(world, 30);
    expect([setsOnVolumes(data), data.primaries.length]).toEqual([['set1'], 1]);
    expect(condition(world, 'Ready').status).toBe('True');
  });

  test.each([
    [3, 1],
    [5, 3],
  ])('from %d to %d members with the primary on one that goes', (from, to) => {
    const { world, data } = worldOf(from);
    data.prefer(from - 1);
    steps(world, 1);
    expect(data.primaries[0]).toContain(`hc-mongodb-${from - 1}.`);
    world.change(specOf(to));
    steps(world, 40);
    expect(data.primaries).toHaveLength(1);
    expect(condition(world, 'Ready').status).toBe('True');
    expect(world.pods.filter(({ metadata }) => metadata.name.includes('mongodb'))).toHaveLength(to);
    const kinds = world.log.map(({ kind }) => kind).filter((kind) => /Mongo$/.test(kind));
    expect(kinds.indexOf('stepDownMongo')).toBeLessThan(kinds.indexOf('reconfigureMongo'));
    expect(kinds.filter((kind) => kind === 'reconfigureMongo')).toHaveLength(from - to);
  });

  test('clients get their new address after the last member has left', () => {
    const { world } = worldOf(3);
    world.change(specOf(1));
    const changed: string[] = [];
    for (let step = 0; step < 40; step += 1)
      for (const action of world.step().actions) {
        if (action.kind === 'reconfigureMongo') changed.push('members');
        if (action.kind === 'apply' && action.object.metadata.name === 'hc-endpoint') changed.push('address');
      }
    expect(changed).toEqual(['members', 'members', 'address']);
  });

  test('made anew with fewer members than the data has: it starts with those of the data', () => {
    const { world, data } = worldOf(3);
    world.recreate(specOf(1));
    world.step();
    expect((world.child('StatefulSet', 'hc-mongodb')['spec'] as { replicas: number }).replicas).toBe(3);
    steps(world, 30);
    expect(data.members).toBe(1);
    expect(condition(world, 'Ready').status).toBe('True');
  });

  test('a lost volume is said while it is empty, and once its member has copied the data', () => {
    const { world } = worldOf(3);
    world.loseVolume(1);
    steps(world, 1);
    expect(condition(world, 'Degraded')).toMatchObject({ status: 'True', reason: 'VolumeLost' });
    expect(condition(world, 'Degraded').message).toContain('data-hc-mongodb-1');
    steps(world, 10);
    expect(eventsOf(world)).toEqual(expect.arrayContaining(['VolumeLost', 'VolumeRestored']));
    expect(condition(world, 'Degraded').status).toBe('False');
    expect(condition(world, 'DataLost').status).toBe('False');
  });

  test('a lost volume has one Event', () => {
    const { world } = worldOf(3);
    world.log.length = 0;
    world.loseVolume(1);
    steps(world, 10);
    const told = world.log.flatMap((action) => (action.kind === 'event' ? [action] : []));
    expect(told.filter(({ message }) => /lost/.test(message))).toMatchObject([{ reason: 'VolumeLost' }]);
  });

  test.each([
    ['one volume restored from an old snapshot: the newer term wins', [1], 5, 'NoLossKnown'],
    ['all volumes restored from an old snapshot: the loss is reported', [0, 1, 2], 3, 'OlderData'],
  ])('%s', (_title, ordinals, term, reason) => {
    const { world, data } = worldOf(3);
    setTerm(world, [0, 1, 2], 5);
    steps(world, 2);
    expect(world.status?.replicaSet?.term).toBe(5);
    setTerm(world, ordinals, 3);
    steps(world, 5);
    expect(world.status?.replicaSet?.term).toBe(term);
    expect(condition(world, 'DataLost').reason).toBe(reason);
    expect([data.made, data.primaries.length]).toEqual([['set1'], 1]);
  });

  test('members of another set than the remembered one are named, until somebody decides for it', () => {
    const { world, data } = worldOf(3);
    world.status = { ...world.status, replicaSet: { ...world.status?.replicaSet, id: 'other' } };
    steps(world, 5);
    expect(condition(world, 'StoreReady')).toMatchObject({ status: 'False', reason: 'ReplicaSetMismatch' });
    expect(condition(world, 'StoreReady').message).toMatch(/other.*hc-mongodb-0 has data of set1/);
    expect(notesOf(world)).toEqual(Array(3).fill({ 'hashcluster.io/replica-set-id': 'set1' }));
    world.annotations = { 'hashcluster.io/replica-set-id': 'set1' };
    steps(world, 20);
    expect(condition(world, 'StoreReady').reason).toBe('Healthy');
    expect([world.status.replicaSet?.id, data.made]).toEqual(['set1', ['set1']]);
  });

  test('the remembered set stays remembered when members of another one were asked before it was', () => {
    const { world } = worldOf(3);
    const { mongo } = world.observe().readings;
    world.status = { ...world.status, replicaSet: { ...world.status?.replicaSet, id: 'other' } };
    const observed = world.observe();
    const { actions } = plan({ ...observed, readings: { ...observed.readings, mongo } });
    const written = actions.flatMap((action) => (action.kind === 'status' ? [action.status] : []));
    expect(written.map(({ replicaSet }) => replicaSet?.id)).toEqual(['other']);
    expect(actions.filter(({ kind }) => kind === 'annotate')).toEqual([]);
  });

  test('two of three volumes lost: what was acknowledged last may be gone, and that is said', () => {
    const { world } = worldOf(3);
    world.loseVolume(1);
    world.loseVolume(2);
    steps(world, 20);
    expect(condition(world, 'DataLost')).toMatchObject({ status: 'True', reason: 'MajorityLost' });
  });

  test.each([
    [
      'two of three volumes lost before a HashCluster is made anew: that is said, too',
      [1, 2],
      'MajorityLost',
    ],
    ['one of three volumes lost before a HashCluster is made anew: nothing is gone', [0], 'NoLossKnown'],
    ['a HashCluster made anew over all its volumes: nothing is gone', [], 'NoLossKnown'],
  ])('%s', (_title, ordinals, reason) => {
    const { world, data } = worldOf(3);
    world.recreate(specOf(3));
    for (const ordinal of ordinals) world.loseVolume(ordinal);
    steps(world, 30);
    expect(condition(world, 'DataLost').reason).toBe(reason);
    expect(eventsOf(world).filter((each) => each === 'MajorityLost')).toHaveLength(
      reason === 'MajorityLost' ? 1 : 0,
    );
    expect(world.status?.replicaSet?.volumes).toHaveLength(3);
    expect([data.made, data.primaries.length]).toEqual([['set1'], 1]);
    expect(condition(world, 'Ready').status).toBe('True');
  });

  test.each([
    ['before the third is added', 2],
    ['once the third is added', 3],
  ])(
    'two members lost with their volumes while a third comes, %s: no loss without a word',
    (_title, members) => {
      const { world, data } = worldOf(1);
      world.change(specOf(3));
      for (let step = 0; step < 40 && data.members < members; step += 1) world.step();
      expect(data.members).toBe(members);
      world.loseVolume(0);
      world.loseVolume(1);
      steps(world, 40);
      const lost = condition(world, 'DataLost');
      const says = lost.status === 'True' ? lost.reason : condition(world, 'StoreReady').reason;
      expect(says).toMatch(/^(ReplicaSetLost|MajorityLost|DataMissing)$/);
      expect(data.primaries.length).toBeLessThanOrEqual(1);
    },
  );

  test('all volumes lost: a new set is made, and it is said that the data is gone', () => {
    const { world, data } = worldOf(3);
    for (const ordinal of [0, 1, 2]) world.loseVolume(ordinal);
    steps(world, 20);
    expect(data.made).toEqual(['set1', 'set2']);
    expect(condition(world, 'DataLost')).toMatchObject({ status: 'True', reason: 'ReplicaSetLost' });
    expect(condition(world, 'DataLost').message).toContain('set1');
    expect(eventsOf(world)).toContain('ReplicaSetLost');
    expect(condition(world, 'Ready').status).toBe('True');
  });

  test('the only member in use is lost while older data is on claims that left: nothing is made', () => {
    const { world, data } = worldOf(3);
    world.change(specOf(1));
    steps(world, 40);
    world.loseVolume(0);
    steps(world, 20);
    world.change(specOf(3));
    steps(world, 20);
    expect([data.made, data.primaries]).toEqual([['set1'], []]);
    expect(condition(world, 'StoreReady')).toMatchObject({ status: 'False', reason: 'DataMissing' });
    expect(condition(world, 'StoreReady').message).toMatch(/data-hc-mongodb-1 \(left the set before\)/);
  });
});

type Move =
  | { readonly kind: 'scale' | 'recreate'; readonly replicas: number }
  | { readonly kind: 'lose'; readonly ordinal: number }
  | { readonly kind: 'steps'; readonly count: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constantFrom('scale', 'recreate'), replicas: fc.constantFrom(1, 3, 5) }),
  fc.record({ kind: fc.constant('lose'), ordinal: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ kind: fc.constant('steps'), count: fc.integer({ min: 1, max: 10 }) }),
);

/** What must never be: two sets that have data, two primaries, or jobs that are gone without a word. */
function check(data: MongoModel, saidLost: boolean): void {
  expect(setsOnVolumes(data).length).toBeLessThanOrEqual(1);
  expect(data.primaries.length).toBeLessThanOrEqual(1);
  if (data.made.length > 1) expect(saidLost).toBe(true);
}

test('whatever is scaled, lost and made anew: one set, and no loss without a word', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 6 }), (moves) => {
      const { world, data } = worldOf(3);
      let saidLost = false;
      let most = 0;
      const go = (count: number): void => {
        for (let step = 0; step < count; step += 1) {
          world.step();
          saidLost ||= (world.status?.replicaSet?.dataLost ?? []).length > 0;
          check(data, saidLost);
          if (data.primaries.length > 0 && data.acknowledged < most) expect(saidLost).toBe(true);
          most = Math.max(most, data.acknowledged);
        }
      };
      for (const each of moves) {
        if (each.kind === 'scale') world.change(specOf(each.replicas));
        if (each.kind === 'recreate') world.recreate(specOf(each.replicas));
        if (each.kind === 'lose') world.loseVolume(each.ordinal);
        go(each.kind === 'steps' ? each.count : 1);
      }
      go(25);
      const store = condition(world, 'StoreReady');
      expect([store.status, store.reason]).toEqual(
        data.primaries.length > 0
          ? ['True', 'Healthy']
          : ['False', expect.stringMatching(/DataMissing|NoPrimary/)],
      );
    }),
    { numRuns: 4, seed: 23 },
  );
});
