import { describe, expect, test } from '@jest/globals';
import type { Readings, WorkerReport } from '../observed.ts';
import { planFor } from '../testing/healing.ts';
import { NOW, ago, endpoint, pods, report, worker } from '../testing/scene.ts';

describe('workers that are not heard', () => {
  const endpoints = (...views: (readonly WorkerReport[])[]): Partial<Readings> => ({
    endpoints: views.map((rows, index) => ({ ...endpoint(report(5, 0), rows), pod: `endpoint-${index}` })),
  });
  const dead = (name: string, seconds: number) => worker(name, { state: 'dead', lastSeen: ago(seconds) });
  const hear = (count: number, readings: Partial<Readings>, listeners = pods(2, { component: 'endpoint' })) =>
    planFor([...pods(count), ...listeners], { readings });
  const live = (...indexes: number[]) => indexes.map((index) => worker(`worker-${index}`));

  test('for too long are evicted', () => {
    expect(hear(3, endpoints([...live(0, 1), dead('worker-2', 62)])).evicted).toEqual(['worker-2']);
  });

  test('at all are evicted, too', () => {
    expect(hear(3, endpoints(live(0, 1)))).toMatchObject({ ill: ['worker-2 CutOff'], evicted: ['worker-2'] });
  });

  test('for a short time are only looked at', () => {
    expect(hear(3, endpoints([...live(0, 1), dead('worker-2', 30)]))).toMatchObject({
      ill: ['worker-2 CutOff not due'],
      evicted: [],
    });
    expect(hear(3, endpoints([...live(0, 1), dead('worker-2', 12)])).ill).toEqual([]);
  });

  test('by one endpoint, but by another, are well', () => {
    expect(hear(3, endpoints(live(0, 1), live(0, 1, 2))).ill).toEqual([]);
  });

  test('because the clock of an endpoint is an hour slow are well', () => {
    const rows = [0, 1, 2].map((index) => worker(`worker-${index}`, { lastSeen: ago(3_600) }));
    expect(hear(3, endpoints(rows)).ill).toEqual([]);
    const late = [...rows.slice(0, 2), worker('worker-2', { state: 'dead', lastSeen: ago(3_612) })];
    expect(hear(3, endpoints(late)).ill).toEqual([]);
  });

  test('are held when nobody is heard', () => {
    expect(hear(1, endpoints([]))).toMatchObject({ evicted: [], held: ['worker WorkersUnreachable'] });
    expect(hear(3, endpoints([]))).toMatchObject({ evicted: [], held: ['worker TooManyUnhealthy'] });
  });

  test('are held when half of them are not heard', () => {
    expect(hear(4, endpoints(live(0, 1)))).toMatchObject({ evicted: [], held: ['worker TooManyUnhealthy'] });
  });

  test.each([
    {
      says: 'the endpoint has only just started',
      readings: endpoints([]),
      listeners: pods(1, { component: 'endpoint', started: 59 }),
    },
    {
      says: 'the endpoint is not ready',
      readings: endpoints([]),
      listeners: pods(1, { component: 'endpoint', ready: false, changed: 5 }),
    },
    {
      says: 'its word is old',
      readings: {
        endpoints: [
          { pod: 'endpoint-0', cluster: { at: 0, error: '' }, workers: { at: NOW - 21_000, value: [] } },
        ],
      },
      listeners: pods(1, { component: 'endpoint' }),
    },
    { says: 'no endpoint is there', readings: {}, listeners: [] },
  ])('are not known when $says', ({ readings, listeners }) => {
    expect(hear(3, readings, listeners).ill.filter((text) => text.includes('CutOff'))).toEqual([]);
  });
});

describe('full disks', () => {
  const full = { free: 4, total: 100 };
  test('of workers are left behind with their pods', () => {
    const rows = [
      worker('worker-0'),
      worker('worker-1', { disk: full }),
      worker('worker-2', { disk: { free: 6, total: 100 } }),
    ];
    expect(planFor(pods(3), { readings: { endpoints: [endpoint(report(3, 0), rows)] } }).evicted).toEqual([
      'worker-1',
    ]);
  });

  test('of servers are told', () => {
    const disks = [{ host: 'mongodb-0.hc-mongodb.ns.svc:27017', used: 96, total: 100 }];
    const value = { config: null, members: [], primary: null, users: null, identities: [], disks };
    const brokers = { brokers: [1], disks: [{ broker: 1, used: 96, total: 100 }] };
    const all = [...pods(3, { component: 'mongodb' }), ...pods(3, { component: 'kafka' })];
    const plan = planFor(all, {
      readings: { mongo: { at: NOW, value }, kafka: { at: NOW, value: brokers } },
    });
    expect(plan).toMatchObject({
      ill: ['mongodb-0 DiskFull', 'kafka-1 DiskFull'],
      held: ['mongodb NotCurable', 'kafka NotCurable'],
      evicted: [],
    });
  });
});
