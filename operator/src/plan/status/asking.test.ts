import { expect, test } from '@jest/globals';
import { NOW, endpoint, pods, report, scene, type SceneOptions } from '../testing/scene.ts';
import { isStillAsking } from './asking.ts';

const FAILED = { at: NOW, error: 'refused' };
const ANSWERED = { mongo: FAILED, usage: FAILED, endpoints: [endpoint(report(1, 0))] };
const RUNNING = [
  ...pods(1, { component: 'endpoint' }).map((pod) => ({
    ...pod,
    status: { ...pod.status, podIP: '10.0.0.1' },
  })),
  ...(['mongodb', 'kafka'] as const).flatMap((component) => pods(1, { component })),
];
const EXTERNAL = {
  mongodb: { external: { secretName: 'a' } },
  kafka: { external: { brokers: ['a:1'] } },
};

const cases: { says: string; options: SceneOptions; expected: boolean }[] = [
  {
    says: 'all have answered, or failed to',
    options: { pods: RUNNING, readings: ANSWERED },
    expected: false,
  },
  { says: 'nobody runs', options: {}, expected: false },
  { says: 'nobody was asked yet', options: { pods: RUNNING }, expected: true },
  ...(['mongo', 'usage'] as const).map((name) => ({
    says: `${name} has not answered yet`,
    options: { pods: RUNNING, readings: { ...ANSWERED, [name]: null } },
    expected: true,
  })),
  {
    says: 'no endpoint has answered yet',
    options: { pods: RUNNING, readings: { ...ANSWERED, endpoints: [] } },
    expected: true,
  },
  {
    says: 'servers of others are never asked',
    options: { spec: EXTERNAL, pods: RUNNING, readings: { ...ANSWERED, mongo: null } },
    expected: false,
  },
];

test.each(cases)('the operator still asks: $expected when $says', ({ options, expected }) => {
  expect(isStillAsking(scene(options))).toBe(expected);
});
