import { createHash } from 'node:crypto';
import type { HashCluster } from '../api/hash-cluster.ts';
import { isNotFound } from '../control/errors.ts';
import { objectPath } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import { externalSecrets } from '../plan/desired/deployments.ts';
import { credentialsName } from '../plan/desired/names.ts';
import type { KubeObject } from '../plan/kube.ts';
import type { Observed, SecretFacts } from '../plan/observed.ts';
import type { Clock } from '../runtime/clock.ts';

interface Secret extends KubeObject {
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
}

interface Kept {
  readonly at: number;
  readonly facts: SecretFacts;
}

/** Secrets change seldom, and nobody tells us when: they are read again after this. */
const KEEP_MS = 60_000;

/** Reads Secrets by name, one by one. What they hold is passed on where it is used, and not kept. */
export class Secrets {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Of the Secrets that a plan for this cluster may depend on, those that exist. */
  async facts(cluster: HashCluster): Promise<SecretFacts[]> {
    const { namespace } = cluster.metadata;
    const facts = await Promise.all(secretNames(cluster).map((name) => this.#factsOf(namespace, name)));
    return facts.filter((found) => found !== null);
  }

  /** One value. Rejects when the Secret or the key is not there. */
  async value(namespace: string, name: string, key: string): Promise<string> {
    const value = (await this.#read(namespace, name))?.data?.[key];
    if (value === undefined) throw new Error(`There is no key ${key} in a Secret ${namespace}/${name}`);
    return Buffer.from(value, 'base64').toString();
  }

  /** What was kept of this cluster's is read again. */
  forget({ metadata: { namespace } }: HashCluster, names: readonly string[]): void {
    for (const name of names) this.#kept.delete(`${namespace}/${name}`);
  }

  async #factsOf(namespace: string, name: string): Promise<SecretFacts | null> {
    const key = `${namespace}/${name}`;
    const now = this.#clock.monotonic();
    const kept = this.#kept.get(key);
    if (kept && now - kept.at < KEEP_MS) return kept.facts;
    const secret = await this.#read(namespace, name);
    if (!secret) {
      this.#kept.delete(key);
      return null;
    }
    const facts = factsOf(secret);
    this.#kept.set(key, { at: now, facts });
    return facts;
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

/** Those that we make and those that the spec names. */
export function secretNames(cluster: HashCluster): string[] {
  const managed = (['mongodb', 'kafka'] as const).filter((server) => cluster.spec[server].managed);
  const made = managed.map((server) => credentialsName(cluster, server));
  // Names depend on the spec alone.
  return [...new Set([...made, ...externalSecrets({ cluster, observed: {} as Observed })])];
}

/** Source: `SecretFacts` says how the hash is made. */
export function factsOf({ metadata, data = {} }: Secret): SecretFacts {
  const keys = Object.keys(data).sort();
  const hash = createHash('sha256');
  for (const key of keys) hash.update(`${key}=${data[key]!}\n`);
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return {
    ...{ name: metadata.name, uid: metadata.uid ?? '', owner: owner?.uid ?? null, keys },
    hash: hash.digest('hex').slice(0, 16),
  };
}
