import { API_VERSION, KIND, type HashCluster } from '../../api/hash-cluster.ts';
import { controllerOf, type KubeObject, type ObjectMeta, type OwnerReference } from '../kube.ts';
import type { Component, Observed, SecretFacts } from '../observed.ts';
import { appliedName, childName, credentialsName, selectorOf } from './names.ts';

/** What children are made from. */
export interface Context {
  readonly cluster: HashCluster;
  readonly observed: Observed;
}

/**
 * The live child of a kind and name that this very HashCluster controls; null when there is none. A name and labels alone
 * make nothing ours.
 */
export function liveChild({ observed, cluster }: Context, kind: string, name: string): KubeObject | null {
  const found = observed.children.find((child) => child.kind === kind && child.metadata.name === name);
  return found !== undefined && controllerOf(found) === cluster.metadata.uid ? found : null;
}

/** A Secret that exists; null when it does not. */
export function secretNamed({ observed }: Context, name: string): SecretFacts | null {
  return observed.secrets.find((secret) => secret.name === name) ?? null;
}

/** The Secret with credentials of a managed server, where it carries our labels; null when it does not, or does not exist. */
export function ownSecret(context: Context, server: 'mongodb' | 'kafka'): SecretFacts | null {
  return ownNamed(context, credentialsName(context.cluster, server));
}

/** The Secret with the credentials that a managed server was last given, likewise. */
export function ownApplied(context: Context, server: 'mongodb' | 'kafka'): SecretFacts | null {
  return ownNamed(context, appliedName(context.cluster, server));
}

function ownNamed(context: Context, name: string): SecretFacts | null {
  const { metadata } = context.cluster;
  const found = secretNamed(context, name);
  const isOurs = found?.instance === metadata.name && (found.owner === null || found.owner === metadata.uid);
  return isOurs ? found : null;
}

/** Managed servers whose credentials cannot be had: somebody else has a Secret of that name. */
export function foreignCredentials(context: Context): ('mongodb' | 'kafka')[] {
  const { spec } = context.cluster;
  return (['mongodb', 'kafka'] as const).filter((server) => {
    const found = secretNamed(context, credentialsName(context.cluster, server));
    return spec[server].managed !== undefined && found !== null && ownSecret(context, server) === null;
  });
}

/** The reference that makes the garbage collector take a child with its HashCluster. */
export function ownerReference({ metadata: { name, uid } }: HashCluster): OwnerReference {
  return { apiVersion: API_VERSION, kind: KIND, name, uid, controller: true, blockOwnerDeletion: true };
}

/**
 * Whether a HashCluster lies in the namespace of its operator. It has no finalizer then: with the namespace goes the
 * operator, or its rights, and nobody would be left to take the finalizer away.
 */
export function isAtHome({ cluster, observed }: Context): boolean {
  return cluster.metadata.namespace === observed.defaults.operator.namespace;
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
