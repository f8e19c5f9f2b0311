import { setTimeout as pause } from 'node:timers/promises';
import { sturdySpec, type TestCluster } from './hash-cluster.ts';
import { kubectl } from './kube.ts';
import { loseVolume } from './mongo.ts';
import { OPERATOR_HOME } from './operator.ts';
import type { Action, Model } from './walk.ts';

const OPERATOR = 'app.kubernetes.io/name=hashcluster-operator';
/** How long an action is under way before the operator is killed, in milliseconds. */
const MEANWHILE_MS = 3_000;
const GONE_S = 240;

/** A HashCluster of so many members of MongoDB whose volumes outlive it. */
export function specOf(cluster: TestCluster, members: number): Record<string, unknown> {
  const managed = { replicas: members, storage: '1Gi' };
  return { ...sturdySpec(cluster.host), deletionPolicy: 'Retain', mongodb: { managed } };
}

/** Does it; what follows from that is waited for elsewhere. */
export async function begin(cluster: TestCluster, action: Action, model: Model): Promise<void> {
  switch (action.kind) {
    case 'scale':
      // The primary moves to a member that is to go.
      if (action.members < model.members) await deletePod(cluster, 0);
      return cluster.apply(specOf(cluster, action.members));
    case 'loseVolumes':
      await Promise.all(action.ordinals.map((ordinal) => loseVolume(cluster, ordinal)));
      return;
    case 'recreate': {
      const args = ['delete', 'hashcluster', cluster.name, `--timeout=${GONE_S}s`];
      await cluster.namespace.kubectl(args, { limitMs: (GONE_S + 10) * 1_000 });
      await cluster.until('gone', async () => (await allPods(cluster)) === 0, GONE_S);
      await Promise.all(action.ordinals.map((ordinal) => loseVolume(cluster, ordinal)));
      return cluster.apply(specOf(cluster, action.members));
    }
    case 'killOperator':
      return;
  }
}

/** Waits a moment for what is under way to begin. */
export function meanwhile(): Promise<void> {
  return pause(MEANWHILE_MS);
}

async function allPods(cluster: TestCluster): Promise<number> {
  const selector = `app.kubernetes.io/instance=${cluster.name}`;
  return (await cluster.namespace.list('pods', selector)).length;
}

async function deletePod(cluster: TestCluster, ordinal: number): Promise<void> {
  const pod = `${cluster.name}-mongodb-${ordinal}`;
  await cluster.namespace.kubectl(['delete', 'pod', pod, '--ignore-not-found']);
}

/** Logs of the operator's pods since a moment (milliseconds since 1970), one text for each. */
export async function operatorLogs(since: number): Promise<string[]> {
  const pods = await OPERATOR_HOME.list('pods', OPERATOR);
  const from = `--since-time=${new Date(since).toISOString()}`;
  const read = pods.map(({ metadata }) =>
    OPERATOR_HOME.kubectl(['logs', metadata.name, from]).catch(() => ''),
  );
  return Promise.all(read);
}

/** Kills the operator's pods at once, as when their node fails. */
export async function killOperator(): Promise<void> {
  const where = ['--namespace', OPERATOR_HOME.name, '--selector', OPERATOR];
  await kubectl(['delete', 'pods', ...where, '--force', '--grace-period=0']);
}

/** No PodDisruptionBudget of the namespace can be written, for what would have to agree is not there. Returns what ends that. */
export async function refuseBudgets({ name, namespace }: TestCluster): Promise<() => Promise<void>> {
  const webhook = `${namespace.name}.example.org`;
  const kind = 'validatingwebhookconfiguration';
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(absentWebhook(webhook, namespace.name)) });
  const budgets = ['--selector', `app.kubernetes.io/instance=${name}`];
  await namespace.kubectl(['delete', 'poddisruptionbudgets', ...budgets]);
  return async () => {
    await kubectl(['delete', kind, webhook, '--ignore-not-found']);
  };
}

function absentWebhook(name: string, namespace: string): object {
  const service = { namespace, name: 'absent' };
  const rule = {
    ...{ apiGroups: ['policy'], apiVersions: ['v1'], resources: ['poddisruptionbudgets'] },
    operations: ['CREATE', 'UPDATE'],
  };
  const webhook = {
    ...{ name, clientConfig: { service }, rules: [rule], failurePolicy: 'Fail', sideEffects: 'None' },
    ...{ admissionReviewVersions: ['v1'], timeoutSeconds: 2 },
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  };
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
    ...{ metadata: { name }, webhooks: [webhook] },
  };
}
