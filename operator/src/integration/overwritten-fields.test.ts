import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Condition } from '../api/status.ts';
import { collectionPath, objectPath } from '../control/resources.ts';
import type { KubeObject } from '../plan/kube.ts';
import { type Actor, type Scene, type Stage, until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';

const TEST_MS = 300_000;
const TOLD_MS = 90_000;
/** Long enough for four writes by an operator that writes every two seconds. */
const QUIET_MS = 8_000;
const POLICIES = '/apis/admissionregistration.k8s.io/v1beta1';
const WORKER = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop-worker' } as const;
/** A value that the operator does not want. */
const PAUSED = 'rival';

interface Workload extends KubeObject {
  readonly spec: { readonly template: { readonly spec: { readonly serviceAccountName?: string } } };
}

/** Somebody who changes a field of the workers' Deployment again and again. */
interface Overwriter {
  stop(): Promise<void>;
}

/** An admission policy sets the field on each write. */
async function admissionPolicy(stage: Stage, { namespace }: Scene): Promise<Overwriter> {
  const metadata = { name: namespace };
  const rule = {
    ...{ apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] },
    ...{ operations: ['CREATE', 'UPDATE'], resourceNames: [WORKER.name] },
  };
  const expression = `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{serviceAccountName: '${PAUSED}'}}}}`;
  const policy = {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1beta1', kind: 'MutatingAdmissionPolicy', metadata },
    spec: {
      ...{ failurePolicy: 'Fail', reinvocationPolicy: 'Never' },
      matchConstraints: { resourceRules: [rule] },
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    },
  };
  const binding = {
    ...{ apiVersion: policy.apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata },
    spec: {
      policyName: namespace,
      matchResources: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      },
    },
  };
  const { transport } = stage;
  await transport.request({ method: 'POST', path: `${POLICIES}/mutatingadmissionpolicies`, body: policy });
  const bindings = `${POLICIES}/mutatingadmissionpolicybindings`;
  await transport.request({ method: 'POST', path: bindings, body: binding });
  return {
    stop: () => transport.request({ method: 'DELETE', path: `${bindings}/${namespace}` }),
  };
}

/** A client with a field manager of its own writes the field back whenever it has changed. */
function rival(stage: Stage, { namespace }: Scene): Promise<Overwriter> {
  const path = objectPath({ ...WORKER, namespace });
  const ending = new AbortController();
  const body = { spec: { template: { spec: { serviceAccountName: PAUSED } } } };
  const { transport } = stage;
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const live = await transport.request<Workload>({ method: 'GET', path }).catch(() => null);
      if (live !== null && live.spec.template.spec.serviceAccountName !== PAUSED) {
        await transport.request({
          ...{ method: 'PATCH', path, body, query: { fieldManager: 'rival-sync' } },
          contentType: 'application/merge-patch+json',
        });
      }
      await pause(100);
    }
  };
  const running = run();
  return Promise.resolve({
    stop: () => {
      ending.abort();
      return running;
    },
  });
}

async function degraded({ clusters }: Scene): Promise<Condition | undefined> {
  const { status } = await clusters.get('shop');
  return status?.conditions?.find(({ type, status: is }) => type === 'Degraded' && is === 'True');
}

function appliesOf({ proxy }: Actor): number {
  return proxy.writes.filter(({ method, path }) => method === 'PATCH' && path.includes(`/${WORKER.name}?`))
    .length;
}

async function notes(stage: Stage, { namespace }: Scene): Promise<string[]> {
  const path = collectionPath({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, namespace);
  type Events = { readonly items: readonly { readonly reason: string; readonly note: string }[] };
  const { items } = await stage.transport.request<Events>({ method: 'GET', path });
  return items.filter(({ reason }) => reason === 'FieldsOverwritten').map(({ note }) => note);
}

withStage('an operator whose fields are changed back', (stage) => {
  test.each([
    ['an admission policy', admissionPolicy, 'no other field manager owns'],
    ['another field manager', rival, 'rival-sync'],
  ] as const)(
    'backs off and names object, field and cause: %s',
    async (title, overwrite, cause) => {
      const scene = await stage().scene(`overwritten-by-${title.split(' ')[1]!}`);
      const actor = await scene.operate();
      await scene.clusters.create('shop', { deletionPolicy: 'Delete' });
      await scene.settled('shop');
      const overwriter = await overwrite(stage(), scene);
      try {
        await scene.clusters.patch('shop', { imagePullPolicy: 'Always' });
        expect(
          await until(async () => (await degraded(scene))?.reason === 'FieldsOverwritten', TOLD_MS),
        ).toBe(true);
        const { message } = (await degraded(scene))!;
        expect(message).toContain('Deployment shop-worker');
        expect(message).toContain('spec.template.spec.serviceAccountName');
        expect(message).toContain(cause);
        const before = appliesOf(actor);
        await pause(QUIET_MS);
        expect(appliesOf(actor) - before).toBeLessThanOrEqual(1);
        expect(await until(async () => (await notes(stage(), scene)).length > 0, TOLD_MS)).toBe(true);
        expect(await notes(stage(), scene)).toHaveLength(1);
      } finally {
        await overwriter.stop();
      }
      // The spec changes: it is tried again at once.
      await scene.clusters.patch('shop', { imagePullPolicy: 'IfNotPresent' });
      await scene.settled('shop');
      expect(await until(async () => (await degraded(scene)) === undefined, TOLD_MS)).toBe(true);
    },
    TEST_MS,
  );
});
