import { afterEach, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../plan/kube.ts';
import type { Clock } from '../runtime/clock.ts';
import { Election, type ElectionOptions, type Term } from './election.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { until } from './testing/until.ts';
import { Transport } from './transport.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };

/** A clock that a test can set forward, as a machine's is that slept or is wrong. */
class Shifted implements Clock {
  shiftMs = 0;
  now(): number {
    return Date.now() + this.shiftMs;
  }
  monotonic(): number {
    return performance.now() + this.shiftMs;
  }
}

async function setup() {
  const server = await FakeApiServer.start();
  stops.push(() => server.stop());
  const join = (identity: string, options: Partial<ElectionOptions> = {}) => {
    const terms: Term[] = [];
    const lost: Error[] = [];
    const trouble: unknown[] = [];
    const transport = new Transport({ config: server.config(identity), perSecond: 10_000 });
    const election = new Election({
      ...{ transport, identity, namespace: 'system', name: 'operator' },
      ...{ leaseMs: 600, renewMs: 400, retryMs: 20 },
      onElected: (term) => terms.push(term),
      onLost: (error) => lost.push(error),
      onTrouble: (error) => trouble.push(error),
      ...options,
    });
    stops.push(
      () => transport.stop(),
      () => election.stop(),
    );
    election.start();
    return { election, terms, lost, trouble, token: `Bearer ${identity}` };
  };
  const lease = (): KubeObject => server.all(LEASE)[0]!;
  const holder = (): unknown => (lease()['spec'] as { holderIdentity?: string }).holderIdentity;
  return { server, join, lease, holder };
}

describe('an election', () => {
  test('has one leader, and the others know who', async () => {
    const { join, lease } = await setup();
    const all = ['a', 'b', 'c'].map((name) => join(name));
    await until(() => all.every(({ election }) => election.leader !== null));
    const leaders = all.filter(({ election }) => election.leads);
    expect(leaders).toHaveLength(1);
    expect(leaders[0]!.terms).toHaveLength(1);
    expect(lease()['spec']).toEqual({
      holderIdentity: leaders[0]!.election.leader,
      leaseDurationSeconds: 1,
      acquireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      renewTime: expect.stringMatching(/\.\d{6}Z$/),
      leaseTransitions: 0,
    });
  });

  test('goes on by itself when the leader stops: it hands the lease back', async () => {
    const { join, holder, lease } = await setup();
    const first = join('a', { leaseMs: 3_600_000 });
    await until(() => first.election.leads);
    const second = join('b', { leaseMs: 3_600_000 });
    await until(() => second.election.leader === 'a');
    await Promise.all([first.election.stop(), first.election.stop()]);
    expect(first.terms[0]!.signal.aborted).toBe(true);
    expect(() => first.terms[0]!.check()).toThrow('The election has stopped');
    expect(first.lost).toEqual([]);
    await until(() => second.election.leads);
    expect(holder()).toBe('b');
    expect(lease()['spec']).toMatchObject({ leaseTransitions: 2 - 1 });
  });

  test('goes on when the leader has died, once its lease has run out', async () => {
    const { server, join } = await setup();
    const first = join('a');
    await until(() => first.election.leads);
    server.fail({ kind: 'silence' }, 10_000, ({ method }) => method === 'PUT');
    await until(() => first.lost.length === 1);
    expect(first.election.leads).toBe(false);
    server.healed();
    const second = join('b');
    await until(() => second.election.leads);
    expect(first.terms[0]!.signal.aborted).toBe(true);
  });

  test.each([
    ['500', { kind: 'status', status: 500 }],
    ['resets', { kind: 'reset' }],
    ['lost answers', { kind: 'lost' }],
  ] as const)('keeps its leader through a few faults: %s', async (_case, fault) => {
    const { server, join } = await setup();
    const { election, lost, trouble, terms } = join('a', { renewMs: 20_000, leaseMs: 30_000 });
    await until(() => election.leads);
    server.fail(fault, 3);
    const before = server.requests.length;
    await until(() => server.requests.length > before + 8);
    expect([election.leads, lost, terms.length]).toEqual([true, [], 1]);
    expect(trouble.length).toBeGreaterThan(0);
  });

  test('never compares clocks: one that is an hour ahead or behind takes nothing from a live leader', async () => {
    const { server, join } = await setup();
    const first = join('a', { leaseMs: 3_600_000, renewMs: 60_000 });
    await until(() => first.election.leads);
    const clocks = [new Shifted(), new Shifted()];
    clocks[0]!.shiftMs = 3_600_000;
    clocks[1]!.shiftMs = -3_600_000;
    const others = clocks.map((clock, i) => join(`other-${i}`, { clock }));
    const before = server.requests.length;
    await until(() => server.requests.length > before + 20);
    expect(others.some(({ election }) => election.leads)).toBe(false);
  });
});

describe('a leader', () => {
  test('whose process stood still must not write, before any timer has noticed', async () => {
    const { join } = await setup();
    const clock = new Shifted();
    const { election, terms, lost } = join('a', { clock, renewMs: 60_000, leaseMs: 90_000 });
    await until(() => election.leads);
    terms[0]!.check();
    clock.shiftMs = 61_000;
    expect(() => terms[0]!.check()).toThrow('The lease could not be renewed within 60000 ms');
    expect([terms[0]!.signal.aborted, lost.length]).toEqual([true, 1]);
  });

  test('whose lease somebody has taken stops as soon as it sees that, and does not take it back', async () => {
    const { server, join, lease, holder } = await setup();
    const { election, lost } = join('a', { renewMs: 600_000, leaseMs: 900_000 });
    await until(() => election.leads);
    const spec = { ...(lease()['spec'] as object), holderIdentity: 'thief', leaseDurationSeconds: 60 };
    server.put({ ...lease(), spec });
    await until(() => lost.length === 1);
    expect(lost[0]!.message).toBe('thief has taken the lease');
    expect(holder()).toBe('thief');
  });
});
