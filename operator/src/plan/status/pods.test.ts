import { describe, expect, test } from '@jest/globals';
import type { ContainerStatus, Pod } from '../kube.ts';
import { planHealing } from '../healing/plan-healing.ts';
import { ago, pod, pods } from '../testing/scene.ts';
import { observe, statusFor, there, without } from './testing.ts';

const image = 'hashcluster:2';
const exited = { terminated: { exitCode: 78, reason: 'Error', message: 'RATE_WINDOW: not a duration\n' } };

/** A new worker whose container is in a state that a kubelet reports. */
function starting(name: string, container: Partial<ContainerStatus>): Pod {
  return pod(name, {
    ...{ ready: false, started: 12, image },
    status: {
      phase: 'Pending',
      containerStatuses: [{ name: 'worker', ready: false, restartCount: 0, image, ...container }],
    },
  });
}

function waiting(reason: string, message: string, restartCount = 0): Partial<ContainerStatus> {
  return { restartCount, state: { waiting: { reason, message } }, lastState: restartCount > 0 ? exited : {} };
}

/** The conditions while a roll-out of workers does not go on because of these pods. */
function conditionsOf(
  ...bad: readonly Pod[]
): Record<string, { status: string; reason: string; message: string }> {
  const rolling = there('worker', { updatedReplicas: bad.length });
  const more = { pods: [...pods(2), ...bad] };
  const given = { children: without('hc-worker', rolling), more };
  const status = statusFor({ ...given, findings: { healing: planHealing(observe(given)) } });
  return Object.fromEntries(status.conditions!.map((condition) => [condition.type, condition]));
}

const pull = 'failed to resolve reference "hashcluster:2": not found';

describe('Degraded names the pod and the reason of the kubelet at once', () => {
  test.each<[string, Pod, string, string]>([
    [
      'when an image cannot be pulled',
      starting(
        'w-1',
        waiting('ImagePullBackOff', `Back-off pulling image "hashcluster:2": ErrImagePull: ${pull}`),
      ),
      'ImagePullBackOff',
      `worker: Pod w-1: container worker: cannot pull image hashcluster:2: ${pull}`,
    ],
    [
      'between two attempts to pull it',
      starting('w-1', waiting('ErrImagePull', pull)),
      'ImagePullBackOff',
      `worker: Pod w-1: container worker: cannot pull image hashcluster:2: ${pull}`,
    ],
    [
      'when an older kubelet does not say why',
      starting('w-1', waiting('ImagePullBackOff', 'Back-off pulling image "hashcluster:2"')),
      'ImagePullBackOff',
      'worker: Pod w-1: container worker: cannot pull image hashcluster:2',
    ],
    [
      'when a container crashes',
      starting('w-1', waiting('CrashLoopBackOff', 'back-off 10s restarting failed container', 1)),
      'CrashLoopBackOff',
      'worker: Pod w-1: container worker exits again and again (exit code 78, Error): RATE_WINDOW: not a duration',
    ],
    [
      'while it runs between two crashes',
      starting('w-1', { restartCount: 2, state: { running: { startedAt: ago(2) } }, lastState: exited }),
      'CrashLoopBackOff',
      'worker: Pod w-1: container worker exits again and again (exit code 78, Error): RATE_WINDOW: not a duration',
    ],
    [
      'when it has just ended once more',
      starting('w-1', { restartCount: 2, state: exited, lastState: { terminated: { exitCode: 1 } } }),
      'CrashLoopBackOff',
      'worker: Pod w-1: container worker exits again and again (exit code 78, Error): RATE_WINDOW: not a duration',
    ],
    [
      'when a key of a Secret is missing',
      starting('w-1', waiting('CreateContainerConfigError', `couldn't find key uri in Secret ns/store`)),
      'CreateContainerConfigError',
      `worker: Pod w-1: container worker: couldn't find key uri in Secret ns/store`,
    ],
  ])('%s', (_, bad, reason, message) => {
    expect(conditionsOf(bad)['Degraded']).toMatchObject({ status: 'True', reason, message });
  });

  test('for each of several pods', () => {
    const { message } = conditionsOf(
      starting('w-1', waiting('ErrImagePull', pull)),
      starting('w-2', waiting('CreateContainerConfigError', 'no key')),
    )['Degraded']!;
    expect(message).toMatch(/Pod w-1: .*not found; worker: Pod w-2: container worker: no key/);
  });

  test.each<[string, Pod]>([
    [
      'that has restarted once',
      starting('w-1', { restartCount: 1, state: { running: { startedAt: ago(2) } }, lastState: exited }),
    ],
    [
      'that has run for long',
      starting('w-1', { restartCount: 9, state: { running: { startedAt: ago(600) } }, lastState: exited }),
    ],
    ['that is being created', starting('w-1', waiting('ContainerCreating', ''))],
  ])('but not of a pod %s', (_, one) => {
    expect(conditionsOf(one)['Degraded']).toMatchObject({ status: 'False', reason: 'AsExpected' });
  });
});

test('Progressing does not count updated pods and ready pods in one sentence', () => {
  const { message } = conditionsOf(starting('w-1', waiting('ErrImagePull', pull)))['Progressing']!;
  expect(message).toBe('worker: 1/2 pods updated; worker: pods not ready: w-1');
});
