import { collectionPath, type Kind } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import type { KubeObject } from '../plan/kube.ts';

/** Every kind that the operator makes, and what it is made for. */
const KINDS: readonly Kind[] = [
  ...['ConfigMap', 'Secret', 'Service', 'ServiceAccount'].map((kind) => ({ apiVersion: 'v1', kind })),
  ...['Deployment', 'StatefulSet'].map((kind) => ({ apiVersion: 'apps/v1', kind })),
  ...['Ingress', 'NetworkPolicy'].map((kind) => ({ apiVersion: 'networking.k8s.io/v1', kind })),
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster' },
];

/** What differs from one time to the next without meaning anything. */
const FLEETING = new Set([
  ...['uid', 'resourceVersion', 'managedFields', 'generation', 'observedGeneration', 'creationTimestamp'],
  ...['lastTransitionTime', 'lastAt', 'at', 'clusterIP', 'clusterIPs', 'namespace'],
]);

/** All objects of a namespace by kind and name, without what is fleeting: equal for equal clusters. */
export async function snapshot(transport: Transport, namespace: string): Promise<Record<string, unknown>> {
  const objects: Record<string, unknown> = {};
  for (const kind of KINDS) {
    const path = collectionPath(kind, namespace);
    const { items } = await transport.request<{ readonly items: readonly KubeObject[] }>({
      method: 'GET',
      path,
    });
    for (const item of items) {
      if (item.metadata.name === 'kube-root-ca.crt') continue;
      objects[`${kind.kind}/${item.metadata.name}`] = lasting(withoutSecrets(kind, item), namespace);
    }
  }
  return objects;
}

/** Values of Secrets are random: only their names count. */
function withoutSecrets({ kind }: Kind, object: KubeObject): KubeObject {
  if (kind !== 'Secret') return object;
  return { ...object, data: Object.keys(object['data'] ?? {}) };
}

function lasting(value: unknown, namespace: string): unknown {
  if (Array.isArray(value)) return value.map((item) => lasting(item, namespace));
  if (typeof value === 'string') return sameText(value, namespace);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !FLEETING.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, lasting(item, namespace)]));
}

/** Fingerprints depend on what is random, and addresses on the namespace. */
function sameText(text: string, namespace: string): string {
  return text.replaceAll(namespace, 'NAMESPACE').replaceAll(/\b[0-9a-f]{16,64}\b/g, 'FINGERPRINT');
}
