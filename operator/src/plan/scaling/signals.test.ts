import { describe, expect, test } from '@jest/globals';
import { NOW, endpoint, pod, pods, report, scene, worker, type PodOptions } from '../testing/scene.ts';
import type { Pod } from '../kube.ts';
import type { PodUsage, Readings } from '../observed.ts';
import { podsOf } from '../pods.ts';
import { cpuSignal } from './cpu.ts';
import { diskSignals } from './disk.ts';
import type { RoleView, Signal } from './signal.ts';
import { usefulWorkers, workerReports, workSignals } from './work.ts';

/** Workers with 1 core each and a target of 50 %; 80 % for disks, 60 s for backlog, 30 s for age; from 2 to 24. */
function view(current: number, all: readonly Pod[], readings: Partial<Readings> = {}): RoleView {
  const scaling = {
    cpu: { utilization: 50 },
    disk: { utilization: 80 },
    ...{ backlog: { seconds: 60 }, oldestAge: { seconds: 30 } },
  };
  const worker = { replicas: { min: 2, max: 24 }, resources: { limits: { cpu: '1' } }, scaling };
  const observed = scene({ spec: { worker }, pods: all, readings });
  return {
    role: 'worker',
    current,
    spec: observed.cluster.spec.worker,
    observed,
    pods: podsOf(observed, 'worker'),
  };
}

function usage(cores: readonly number[], ageSeconds = 10): { at: number; value: PodUsage[] } {
  const at = NOW - ageSeconds * 1000;
  const value = cores.map((cpuCores, index): PodUsage => {
    return { pod: `worker-${index}`, at, cpuCores, memoryBytes: 0 };
  });
  return { at, value };
}

const replicas = (signal: Signal | null | undefined) => (signal?.known ? signal.replicas : null);

describe('CPU', () => {
  const FRESH: PodOptions = { started: 60, changed: 40 };
  test.each([
    { says: '200m of 100m doubles', current: 4, cores: [1, 1, 1, 1], expected: 8 },
    { says: '50m of 100m halves', current: 4, cores: [0.25, 0.25, 0.25, 0.25], expected: 2 },
    {
      says: 'a ratio within 10 % above changes nothing',
      current: 4,
      cores: [0.55, 0.55, 0.55, 0.55],
      expected: 4,
    },
    {
      says: 'a ratio within 10 % below changes nothing',
      current: 4,
      cores: [0.45, 0.45, 0.45, 0.45],
      expected: 4,
    },
    { says: 'the mean over the pods counts', current: 4, cores: [1, 0, 0, 0], expected: 2 },
    { says: 'it rounds up', current: 4, cores: [0.6, 0.6, 0.6, 0.6], expected: 5 },
    {
      says: 'a pod without metrics uses nothing when more are wanted',
      current: 4,
      cores: [1, 1, 1],
      expected: 6,
    },
    { says: 'and what it should when fewer are', current: 4, cores: [0, 0, 0.5], expected: 2 },
    {
      says: 'pods that do not exist yet are pods without metrics',
      current: 8,
      all: 4,
      cores: [0, 0, 0, 0],
      expected: 4,
    },
    { says: 'set aside pods turn no direction around', current: 8, all: 8, cores: [0.75, 0.75], expected: 8 },
  ])('$says', ({ current, all = current, cores, expected }) => {
    expect(replicas(cpuSignal(view(current, pods(all), { usage: usage(cores) })))).toBe(expected);
  });

  test.each([
    { says: 'is not ready yet', options: { ...FRESH, ready: false } },
    { says: 'is pending', options: { status: { phase: 'Pending' as const } } },
    { says: 'was measured before it became ready', options: { started: 60, changed: 20 } },
    { says: 'never became ready', options: { started: 600, changed: 595, ready: false } },
  ])('takes a pod for idle that $says', ({ options }) => {
    const all = [...pods(3), pod('worker-3', options)];
    expect(replicas(cpuSignal(view(4, all, { usage: usage([1, 1, 1, 1]) })))).toBe(6);
  });

  test.each([
    { says: 'became ready long enough ago', options: FRESH },
    { says: 'lost its readiness later', options: { started: 600, changed: 10, ready: false } },
  ])('counts a pod that $says', ({ options }) => {
    const all = [...pods(3), pod('worker-3', options)];
    expect(replicas(cpuSignal(view(4, all, { usage: usage([1, 1, 1, 1]) })))).toBe(8);
  });

  test('counts no pod whose last value is old', () => {
    const { value } = usage([1, 1, 1, 1]);
    const rows = value.map((row, index) => ({ ...row, at: NOW - (index === 3 ? 151_000 : 149_000) }));
    expect(replicas(cpuSignal(view(4, pods(4), { usage: { at: NOW, value: rows } })))).toBe(6);
  });

  test('leaves out pods that leave, and pods that have failed', () => {
    const gone = [pod('worker-2', { leaving: 1 }), pod('worker-3', { status: { phase: 'Failed' } })];
    const cores = usage([1, 1, 0, 0]);
    expect(replicas(cpuSignal(view(2, [...pods(2), ...gone], { usage: cores })))).toBe(4);
  });

  test.each([
    { says: 'there is no metrics.k8s.io', readings: { usage: null } },
    { says: 'it answers with an error', readings: { usage: { at: NOW, error: '503' } } },
    { says: 'its answer is old', readings: { usage: usage([1, 1], 61) } },
    { says: 'no pod has metrics', readings: { usage: usage([]) } },
  ])('is unknown when $says', ({ readings }) => {
    expect(cpuSignal(view(2, pods(2), readings))).toMatchObject({ known: false });
  });

  test('of nearly 10 % more still reaches the maximum', () => {
    expect(replicas(cpuSignal(view(22, pods(22), { usage: usage(Array<number>(22).fill(0.5454)) })))).toBe(
      24,
    );
  });
});

describe('backlog', () => {
  const backlog = (current: number, seconds: number | null, workers = current, jobs = 1_000) =>
    workSignals(view(current, pods(current), { endpoints: [endpoint(report(workers, seconds, jobs))] }))[0];

  test.each([
    { says: 'ten times the target takes ten times the workers', current: 2, seconds: 600, expected: 20 },
    { says: 'more than the maximum is said, too', current: 3, seconds: 600, expected: 30 },
    { says: 'nothing to do takes nobody', current: 10, seconds: 0, jobs: 0, expected: 0 },
    { says: 'half of it takes half of them', current: 10, seconds: 30, expected: 5 },
    {
      says: 'workers that are still starting are not counted twice',
      current: 20,
      workers: 2,
      seconds: 600,
      expected: 20,
    },
    {
      says: 'workers that are not heard are not given up',
      current: 10,
      workers: 4,
      seconds: 15,
      expected: 7,
    },
    { says: 'three jobs keep three engines busy', current: 2, seconds: 86_400, jobs: 3, expected: 3 },
  ])('$says', ({ current, seconds, workers = current, jobs = 1_000, expected }) => {
    expect(replicas(backlog(current, seconds, workers, jobs))).toBe(expected);
  });

  test('is unknown when nobody is there to do it, and when no endpoint answers', () => {
    expect(backlog(2, null, 0)).toMatchObject({ known: false });
    expect(workSignals(view(2, pods(2)))[0]).toMatchObject({ known: false });
  });

  test('is unknown when the last word is old', () => {
    const old = { at: NOW - 21_000, value: report(2, 0) };
    const endpoints = [{ pod: 'endpoint-0', cluster: old, workers: old as never }];
    expect(workSignals(view(2, pods(2), { endpoints }))).toMatchObject([{ known: false }, { known: false }]);
  });

  test('is what the endpoint says that hears most workers', () => {
    const endpoints = [endpoint(report(0, null)), endpoint(report(2, 600)), endpoint(report(1, 1_200))];
    expect(replicas(workSignals(view(2, pods(2), { endpoints }))[0])).toBe(20);
  });
});

describe('what is known of a worker that several endpoints report', () => {
  const jobsOf = (...rows: Parameters<typeof worker>[1][]): number | undefined => {
    const endpoints = rows.map((row) => endpoint(report(1, 0), [worker('worker-0', row)]));
    return workerReports(scene({ readings: { endpoints } }))?.get('worker-0')?.jobs;
  };
  const early = '2020-01-01T00:00:00.000Z';
  const late = '2030-01-01T00:00:00.000Z';

  test.each([
    [
      'the later heartbeat counts, whatever wall clocks say',
      [
        { jobs: 1, lastSeen: late, silentSeconds: 9 },
        { jobs: 2, lastSeen: early, silentSeconds: 1 },
      ],
    ],
    [
      'wall clocks count where an older endpoint says nothing else',
      [
        { jobs: 1, lastSeen: early, silentSeconds: 0 },
        { jobs: 2, lastSeen: late },
      ],
    ],
  ])('%s', (_, rows) => {
    expect([jobsOf(...rows), jobsOf(...rows.toReversed())]).toEqual([2, 2]);
  });
});

test('the age of the oldest job asks like the backlog does', () => {
  const cluster = report(2, 0);
  const queued = cluster.backlog.queued.map((queue) => ({ ...queue, oldestSeconds: 90 }));
  const endpoints = [endpoint({ ...cluster, backlog: { ...cluster.backlog, queued } })];
  const [, age] = workSignals(view(2, pods(2), { endpoints }));
  expect(age).toEqual({ name: 'oldestAge', known: true, replicas: 6, says: 'oldest job 90 s / 30 s target' });
});

test('signals that are turned off say nothing', () => {
  const off = { enabled: false };
  const scaling = { cpu: off, disk: off, backlog: off, oldestAge: off };
  const observed = scene({ spec: { worker: { scaling } } });
  const quiet = { ...view(2, pods(2)), spec: observed.cluster.spec.worker, observed };
  expect([cpuSignal(quiet), diskSignals(quiet), workSignals(quiet)]).toEqual([null, [], []]);
});

describe('disk', () => {
  const mongo = (used: number): Readings['mongo'] => ({
    at: NOW - 1_000,
    value: {
      ...{ config: null, members: [], primary: null, users: null, identities: [] },
      disks: [
        { host: 'a', used: 1, total: 100 },
        { host: 'b', used, total: 100 },
      ],
    },
  });
  const busy = [endpoint(report(10, 30))];

  test.each([
    { says: 'below the target asks for the least', used: 71, expected: 2 },
    { says: 'near the target asks for what there is', used: 80, expected: 10 },
    { says: 'a little above it, too', used: 88, expected: 10 },
    { says: 'above it asks for more', used: 96, expected: 12 },
  ])('of the store $says', ({ used, expected }) => {
    const [signal] = diskSignals(view(10, pods(10), { mongo: mongo(used), endpoints: busy }));
    expect(replicas(signal)).toBe(expected);
  });

  test('of the store asks for nobody when there is nothing to do', () => {
    const endpoints = [endpoint(report(10, 0, 0))];
    expect(replicas(diskSignals(view(10, pods(10), { mongo: mongo(96), endpoints }))[0])).toBe(0);
  });

  test.each([
    { says: 'below the target asks for the least', used: 71, expected: 2 },
    { says: 'near the target asks for what there is', used: 88, expected: 4 },
    { says: 'above it asks for more than the least', used: 96, expected: 3 },
    { says: 'that is full asks for no more than that, however many there are', used: 100, expected: 3 },
  ])('of the store $says, of endpoints', ({ used, expected }) => {
    const observed = scene({ readings: { mongo: mongo(used) } });
    const { endpoint: spec } = observed.cluster.spec;
    const seen = { role: 'endpoint' as const, current: 4, spec, pods: [], observed };
    expect(diskSignals(seen).map(replicas)).toEqual([expected]);
  });

  test('of a server that does not answer is unknown to endpoints, too', () => {
    const observed = scene({ readings: { mongo: { at: NOW, error: 'refused' } } });
    const { endpoint: spec } = observed.cluster.spec;
    const seen = { role: 'endpoint' as const, current: 4, spec, pods: [], observed };
    expect(diskSignals(seen)).toEqual([{ name: 'disk', known: false, says: 'disk of MongoDB: refused' }]);
  });

  test('of the workers is the mean of those that have one', () => {
    const disks = [{ free: 10, total: 100 }, { free: 0, total: 100 }, null];
    const rows = disks.map((disk, index) => worker(`worker-${index}`, { disk }));
    const [signal] = diskSignals(view(10, pods(10), { endpoints: [endpoint(report(10, 30), rows)] }));
    expect(signal).toMatchObject({ replicas: 12, says: 'disk of the pods 95 % / 80 % target' });
  });

  test('is unknown for whoever does not answer, and no matter where nobody is asked', () => {
    const kafka = { at: NOW, error: 'refused' };
    const signals = diskSignals(view(10, pods(10), { kafka, mongo: null }));
    expect(signals).toEqual([
      { name: 'disk', known: false, says: 'disk of Kafka: refused' },
      { name: 'disk', known: false, says: 'no endpoint says how full disks are' },
    ]);
  });
});

test('as many workers are useful as there are jobs for their engines', () => {
  expect(usefulWorkers(null)).toBe(Infinity);
  expect(usefulWorkers(report(0, null))).toBe(Infinity);
  expect(usefulWorkers({ ...report(2, 60, 9), engines: 8 })).toBe(3);
});
