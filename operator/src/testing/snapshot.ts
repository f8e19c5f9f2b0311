import { API_VERSION, KIND } from '../api/hash-cluster.ts';
import { collectionPath, type Kind } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import type { KubeObject } from '../plan/kube.ts';

/** Every kind that the operator makes, and what it is made for. */
const KINDS: readonly Kind[] = [
  ...['ConfigMap', 'Secret', 'Service', 'ServiceAccount'].map((kind) => ({ apiVersion: 'v1', kind })),
  ...['Deployment', 'StatefulSet'].map((kind) => ({ apiVersion: 'apps/v1', kind })),
  ...['Ingress', 'NetworkPolicy'].map((kind) => ({ apiVersion: 'networking.k8s.io/v1', kind })),
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: API_VERSION, kind: KIND },
];

/** What differs from one time to the next without meaning anything. */
const FLEETING = new Set([
  ...['uid', 'resourceVersion', 'managedFields', 'generation', 'observedGeneration', 'creationTimestamp'],
  ...['lastTransitionTime', 'lastAt', 'at', 'observedAt', 'clusterIP', 'clusterIPs', 'namespace'],
]);

/** Everything that belongs to one HashCluster, and the HashCluster. */
export interface Subject {
  readonly namespace: string;
  readonly cluster: string;
}

/** Its objects by kind and name, without what is fleeting: equal for clusters that are equal, whatever they are called. */
export async function snapshot(transport: Transport, subject: Subject): Promise<Record<string, unknown>> {
  const found = await Promise.all(KINDS.map((kind) => listed(transport, kind, subject)));
  return Object.fromEntries(found.flat());
}

async function listed(transport: Transport, kind: Kind, subject: Subject): Promise<[string, unknown][]> {
  const { namespace, cluster } = subject;
  const path = collectionPath(kind, namespace);
  const query =
    kind.kind === KIND
      ? { fieldSelector: `metadata.name=${cluster}` }
      : { labelSelector: `app.kubernetes.io/instance=${cluster}` };
  const { items } = await transport.request<{ readonly items: readonly KubeObject[] }>({
    ...{ method: 'GET', path, query },
  });
  return items.map((item) => [
    sameText(`${kind.kind}/${item.metadata.name}`, subject),
    lasting(withoutHistory(withoutSecrets(kind, item)), subject),
  ]);
}

/** Values of Secrets are random: only their names count. */
function withoutSecrets({ kind }: Kind, object: KubeObject): KubeObject {
  if (kind !== 'Secret') return object;
  return { ...object, data: Object.keys(object['data'] ?? {}) };
}

/** Only a HashCluster's status is the operator's, and of that not what was scaled and healed on the way. */
function withoutHistory({ status, ...object }: KubeObject): KubeObject {
  if (object.metadata.ownerReferences !== undefined || status === undefined) return object;
  const { scaling: _scaled, healing: _healed, ...kept } = status as Record<string, unknown>;
  return { ...object, status: kept };
}

function lasting(value: unknown, subject: Subject): unknown {
  if (Array.isArray(value)) return value.map((item) => lasting(item, subject));
  if (typeof value === 'string') return sameText(value, subject);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !FLEETING.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, lasting(item, subject)]));
}

/** Fingerprints depend on what is random, and addresses on names. */
function sameText(text: string, { namespace, cluster }: Subject): string {
  return text
    .replaceAll(new RegExp(`\\b${namespace}\\b`, 'g'), 'NAMESPACE')
    .replaceAll(new RegExp(`\\b${cluster}\\b`, 'g'), 'CLUSTER')
    .replaceAll(/\b[0-9a-f]{16,64}\b/g, 'FINGERPRINT');
}
