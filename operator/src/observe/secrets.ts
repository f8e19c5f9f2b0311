import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { HashCluster } from '../api/hash-cluster.ts';
import { jittered } from '../control/backoff.ts';
import { isNotFound } from '../control/errors.ts';
import { objectPath } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import { externalSecrets } from '../plan/desired/deployments.ts';
import { appliedName, credentialsName, HASH_KEY, hashKeyName, PASSWORD } from '../plan/desired/names.ts';
import { controllerOf, type KubeObject } from '../plan/kube.ts';
import type { Observed, SecretFacts } from '../plan/observed.ts';
import type { Clock } from '../runtime/clock.ts';

interface Secret extends KubeObject {
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** What is kept of one Secret; null: there is none. */
interface Kept {
  readonly until: number;
  readonly secret: Secret | null;
}

/** Nobody tells us when a Secret changes or is deleted: it is read again after so many milliseconds. */
const READ_MS = 30_000;
/** Copies that only the operator writes. */
const COPIES_MS = 600_000;
/** So many requests a second at most: a thousand HashClusters must not fill our share of the API server with Secrets. */
const PER_SECOND = 15;

/** Reads Secrets by name, one by one, and keeps them in memory for a while. What they hold is in no log and no plan. */
export class Secrets {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  /** Of this process: digests are compared with each other, and leave it never. */
  readonly #key = randomBytes(32);

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Of the Secrets that a plan for this cluster may depend on, those that exist. */
  async facts(cluster: HashCluster): Promise<SecretFacts[]> {
    const { namespace } = cluster.metadata;
    const read = (name: string): Promise<Secret | null> =>
      this.#secret(namespace, name, keepMsOf(cluster, name));
    const found = await Promise.all(secretNames(cluster).map(read));
    const hashKey = found.find(
      (secret) =>
        secret?.metadata.name === hashKeyName(cluster) && controllerOf(secret) === cluster.metadata.uid,
    )?.data?.[HASH_KEY];
    return found
      .filter((secret) => secret !== null)
      .map((secret) => factsOf(secret, { digests: this.#key, hash: hashKey ?? null }));
  }

  /** One value of a Secret that we made. Rejects when the Secret or the key is not there. */
  async value(namespace: string, name: string, key: string): Promise<string> {
    const value = (await this.#secret(namespace, name, READ_MS))?.data?.[key];
    if (value === undefined) throw new Error(`There is no key ${key} in a Secret ${namespace}/${name}`);
    return Buffer.from(value, 'base64').toString();
  }

  /** What was kept of this cluster's is read again. */
  forget({ metadata: { namespace } }: HashCluster, names: readonly string[]): void {
    for (const name of names) this.#kept.delete(`${namespace}/${name}`);
  }

  /** What is not there is asked for each time. */
  async #secret(namespace: string, name: string, keepMs: number): Promise<Secret | null> {
    const now = this.#clock.monotonic();
    const key = `${namespace}/${name}`;
    const known = this.#kept.get(key);
    if (known && now < known.until) return known.secret;
    this.#kept.delete(key);
    const secret = await this.#read(namespace, name);
    const atLeast = (this.#kept.size / PER_SECOND) * 1000;
    // Not all at once.
    const until = now + jittered(Math.max(keepMs, atLeast), 0.2, Math.random);
    if (secret !== null) this.#kept.set(key, { until, secret });
    return secret;
  }

  async #read(namespace: string, name: string): Promise<Secret | null> {
    try {
      const path = objectPath({ apiVersion: 'v1', kind: 'Secret', namespace, name });
      return await this.#transport.request<Secret>({ method: 'GET', path });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }
}

function managed(cluster: HashCluster): ('mongodb' | 'kafka')[] {
  return (['mongodb', 'kafka'] as const).filter((server) => cluster.spec[server].managed);
}

/** Those that we make and those that the spec names. */
export function secretNames(cluster: HashCluster): string[] {
  // Names depend on the spec alone.
  const external = externalSecrets({ cluster, observed: {} as Observed });
  const made = managed(cluster).flatMap((server) => [
    credentialsName(cluster, server),
    appliedName(cluster, server),
  ]);
  return [...new Set([...made, ...external, ...(external.length > 0 ? [hashKeyName(cluster)] : [])])];
}

function keepMsOf(cluster: HashCluster, name: string): number {
  const copies = [hashKeyName(cluster), ...managed(cluster).map((server) => appliedName(cluster, server))];
  return copies.includes(name) ? COPIES_MS : READ_MS;
}

/** Keys of what is computed from values. */
interface HashKeys {
  readonly digests: Buffer;
  /** In base64; null: there is none yet. */
  readonly hash: string | null;
}

/** Source: `SecretFacts` says how hashes are made. */
export function factsOf(secret: Secret, by: HashKeys): SecretFacts {
  const { metadata, data = {} } = secret;
  const keys = Object.keys(data).sort();
  const text = keys.map((key) => `${key}=${data[key]!}\n`).join('');
  const { labels = {}, annotations = {} } = metadata;
  const isMade = labels['app.kubernetes.io/managed-by'] === 'hashcluster-operator';
  const ours = Object.entries(annotations).filter(([name]) => name.startsWith('hashcluster.io/'));
  const value = (key: string): string => Buffer.from(data[key]!, 'base64').toString();
  return {
    ...{ name: metadata.name, uid: metadata.uid ?? '', keys },
    owner: controllerOf(secret),
    instance: isMade ? (labels['app.kubernetes.io/instance'] ?? null) : null,
    annotations: Object.fromEntries(ours),
    digests: Object.fromEntries(
      keys.map((key) => [key, createHmac('sha256', by.digests).update(data[key]!).digest('base64')]),
    ),
    invalid: keys.filter((key) => key.endsWith('-password') && !PASSWORD.test(value(key))),
    hash: by.hash === null ? null : createHmac('sha256', by.hash).update(text).digest('hex').slice(0, 16),
    plainHash: createHash('sha256').update(text).digest('hex').slice(0, 16),
  };
}
