import { describe, expect, test } from '@jest/globals';
import type { Context } from './desired/context.ts';
import { mongoMembers, mongoUsers } from './desired/mongodb.ts';
import { mongoSteps, nextMembers } from './mongo-steps.ts';
import type { MongoMember, MongoReport, Observed } from './observed.ts';
import { NOW, pods, scene, secretFacts } from './testing/scene.ts';

const secrets = ['hc-mongodb-credentials', 'hc-mongodb-credentials-applied'].map((name) => secretFacts(name));

function contextOf(report: Partial<MongoReport> | null, more: Partial<Observed> = {}): Context {
  const none = { config: null, members: [], primary: null, users: null, disks: [] };
  const value = { ...none, identities: [0, 1, 2].map((ordinal) => identity(ordinal)), ...report };
  const readings = { mongo: report && { at: NOW, value } };
  const base = scene({ readings, pods: pods(3, { component: 'mongodb' }) });
  const observed = { ...base, secrets, ...more };
  return { cluster: observed.cluster, observed };
}

const identity = (ordinal: number, setId: string | null = null, isPrimary = false) => ({
  ...{ host: `hc-mongodb-${ordinal}.hc-mongodb.ns.svc.cluster.local:27017`, setId, isPrimary },
});
const members = mongoMembers(contextOf(null));
const users = mongoUsers(contextOf(null)).map(({ name }) => name);
const config = (list: readonly MongoMember[]) => ({
  ...{ setName: 'rs0', setId: 'a1', version: 4, term: 1, members: list },
});
const states = (list: readonly MongoMember[], state = 'SECONDARY') =>
  list.map(({ host }) => ({ host, state, healthy: state === 'SECONDARY' }));
const whole = (list: readonly MongoMember[]): Partial<MongoReport> => ({
  ...{ config: config(list), members: states(list), primary: list[0]!.host, users },
});

describe('the managed replica set', () => {
  test.each<[string, Context, readonly string[]]>([
    ['is left alone while nothing is known of it', contextOf(null), []],
    ['is initiated when all members run', contextOf({}), ['initiateMongo']],
    ['waits for its members before that', contextOf({}, { pods: pods(2, { component: 'mongodb' }) }), []],
    ['waits for its credentials before that', contextOf({}, { secrets: [] }), []],
    [
      'gets its users when there is a primary',
      contextOf({ ...whole(members), users: [] }),
      ['ensureMongoUsers'],
    ],
    [
      'gets a user that somebody dropped',
      contextOf({ ...whole(members), users: users.slice(1) }),
      ['ensureMongoUsers'],
    ],
    ['waits for a primary before that', contextOf({ ...whole(members), users: [], primary: null }), []],
    ['is left alone when it is whole', contextOf(whole(members)), []],
    ['takes a new member in', contextOf(whole(members.slice(0, 2))), ['reconfigureMongo']],
    [
      'takes nobody in while another is away',
      contextOf({ ...whole(members.slice(0, 2)), members: states(members.slice(0, 1)) }),
      [],
    ],
    ['is left alone when what is known is old', contextOf({}, { now: NOW + 120_000 }), []],
  ])('%s', (_, context, kinds) => {
    expect(mongoSteps(context).map(({ kind }) => kind)).toEqual(kinds);
  });

  test('changes by one member at a time, newcomers before leavers', () => {
    const member = (id: number): MongoMember => ({ id, host: `m-${id}`, votes: 1, priority: 1 });
    const wanted = [member(0), member(1), member(2)];
    const ids = (list: readonly MongoMember[]) => nextMembers(list, wanted)?.members.map(({ id }) => id);
    expect(ids([member(0)])).toEqual([0, 1]);
    expect(ids([member(0), member(1), member(3)])).toEqual([0, 1, 3, 2]);
    expect(ids([...wanted, member(3), member(4)])).toEqual([0, 1, 2, 3]);
    expect(ids(wanted)).toBeUndefined();
  });

  test('starts its new configuration from the version that was seen', () => {
    expect(mongoSteps(contextOf(whole(members.slice(0, 2))))).toMatchObject([{ fromVersion: 4 }]);
  });
});

test('Users have no more rights than they need', () => {
  const roles = mongoUsers(contextOf(null)).map(({ name, roles: held }) => [
    name,
    held.map(({ role }) => role),
  ]);
  expect(Object.fromEntries(roles)).toEqual({
    admin: ['root'],
    operator: ['clusterMonitor', 'clusterManager'],
    endpoint: ['readWrite', 'hashclusterIdentity'],
    worker: ['readWrite', 'hashclusterIdentity'],
    monitor: ['clusterMonitor'],
  });
});
