import { API_VERSION, KIND, type HashCluster } from '../../api/hash-cluster.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../kube.ts';
import type { Component, Observed, SecretFacts } from '../observed.ts';
import { childName, selectorOf } from './names.ts';

/** What children are made from. */
export interface Context {
  readonly cluster: HashCluster;
  readonly observed: Observed;
}

/** The live child of a kind and name; null when there is none. */
export function liveChild({ observed }: Context, kind: string, name: string): KubeObject | null {
  return observed.children.find((child) => child.kind === kind && child.metadata.name === name) ?? null;
}

/** A Secret that exists; null when it does not. */
export function secretNamed({ observed }: Context, name: string): SecretFacts | null {
  return observed.secrets.find((secret) => secret.name === name) ?? null;
}

/** The reference that makes the garbage collector take a child with its HashCluster. */
export function ownerReference({ metadata: { name, uid } }: HashCluster): OwnerReference {
  return { apiVersion: API_VERSION, kind: KIND, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Labels of every child of a part. */
export function labelsOf(cluster: HashCluster, component: Component | null): Record<string, string> {
  const labels = component
    ? selectorOf(cluster, component)
    : { 'app.kubernetes.io/name': 'hashcluster', 'app.kubernetes.io/instance': cluster.metadata.name };
  return { ...labels, 'app.kubernetes.io/managed-by': 'hashcluster-operator' };
}

/** `metadata` of a child that goes with its HashCluster. */
export function childMeta(
  { cluster }: Context,
  component: Component | null,
  more: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> } = {},
): ObjectMeta {
  const { name = component ? childName(cluster, component) : cluster.metadata.name, annotations } = more;
  return {
    name,
    namespace: cluster.metadata.namespace,
    labels: labelsOf(cluster, component),
    ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
    ownerReferences: [ownerReference(cluster)],
  };
}
