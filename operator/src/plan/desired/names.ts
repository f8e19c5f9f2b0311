import type { HashCluster } from '../../api/hash-cluster.ts';
import type { Component } from '../observed.ts';

/** Ports of the parts. */
export const PORTS = {
  http: 5000,
  admin: 9090,
  mongodb: 27_017,
  kafka: 9092,
  kafkaController: 9093,
} as const;

/** The name of the replica set. */
export const MONGO_SET = 'rs0';

/** A role by which users can tell one replica set from another: it reads the configuration, and nothing else. */
export const IDENTITY_ROLE = 'hashclusterIdentity';

/** Users of the managed MongoDB, each with a password of its own, `<user>-password`. */
export const MONGO_USERS = ['admin', 'operator', 'endpoint', 'worker', 'monitor'] as const;

/** Users of the managed Kafka, likewise. Controllers know each other by another mechanism. */
export const KAFKA_USERS = ['controller', 'broker', 'endpoint', 'worker'] as const;

/** What children of a part are called. */
export function childName(cluster: HashCluster, component: Component): string {
  return `${cluster.metadata.name}-${component}`;
}

/** The Secret with what the operator made up for a managed server. */
export function credentialsName(cluster: HashCluster, server: 'mongodb' | 'kafka'): string {
  return `${cluster.metadata.name}-${server}-credentials`;
}

/** The Secret with what a managed server was last given: the credentials as they are in force. */
export function appliedName(cluster: HashCluster, server: 'mongodb' | 'kafka'): string {
  return `${credentialsName(cluster, server)}-applied`;
}

/** The key of a user's password in both Secrets. */
export function passwordKey(user: string): string {
  return `${user}-password`;
}

/** What passwords must be: in the address of MongoDB, and in what Kafka is formatted with, other characters would need an escape. */
export const PASSWORD = /^[\w.~-]{8,128}$/;
export const PASSWORD_RULE = '8 to 128 characters of A-Z, a-z, 0-9, ".", "_", "~" and "-"';

/** The annotation of the applied Secret that says which user of the server a role has now. */
export function userAnnotation(user: string): string {
  return `hashcluster.io/${user}-user`;
}

/** The annotation of the applied Secret of Kafka that says which user of a role is to be dropped once no pod uses it. */
export function formerUserAnnotation(user: string): string {
  return `hashcluster.io/${user}-former-user`;
}

/** The Secret with the key by which Secrets of others are hashed: a plain hash of a password can be guessed. */
export function hashKeyName(cluster: HashCluster): string {
  return `${cluster.metadata.name}-hash-key`;
}

/** The key in that Secret. */
export const HASH_KEY = 'key';

/** Labels by which pods of a part are found; they never change. */
export function selectorOf(cluster: HashCluster, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'hashcluster',
    'app.kubernetes.io/instance': cluster.metadata.name,
    'app.kubernetes.io/component': component,
  };
}

/** `a=b,c=d`, as APIs take it. */
export function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** The ordinal at the end of a name such as `hc-mongodb-2`, or of such a host or claim; null: none. */
export function ordinalOf(name: string): number | null {
  const [, ordinal] = /^[^.:]*-(\d+)(?=[.:]|$)/.exec(name) ?? [];
  return ordinal === undefined ? null : Number(ordinal);
}

/** Names of the pods of a StatefulSet, within its headless Service: `host:port` each. */
export function memberHosts(
  cluster: HashCluster,
  server: 'mongodb' | 'kafka',
  { replicas, port, domain }: { readonly replicas: number; readonly port: number; readonly domain: string },
): string[] {
  const ordinals = Array.from({ length: replicas }, (_, ordinal) => ordinal);
  return hostsOf(cluster, server, { ordinals, port, domain });
}

/** The same of some ordinals, ascending. */
export function hostsOf(
  cluster: HashCluster,
  server: 'mongodb' | 'kafka',
  {
    ordinals,
    port,
    domain,
  }: { readonly ordinals: Iterable<number>; readonly port: number; readonly domain: string },
): string[] {
  const set = childName(cluster, server);
  const zone = `${set}.${cluster.metadata.namespace}.svc.${domain}`;
  const sorted = [...new Set(ordinals)].sort((a, b) => a - b);
  return sorted.map((ordinal) => `${set}-${ordinal}.${zone}:${port}`);
}
