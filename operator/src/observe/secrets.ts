import { createHash } from 'node:crypto';
import type { HashCluster } from '../api/hash-cluster.ts';
import { jittered } from '../control/backoff.ts';
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

interface Kept<T> {
  readonly until: number;
  readonly what: T;
}

/** Secrets of others may change at any time, and nobody tells us: they are read again after so many milliseconds. */
const OTHERS_MS = 60_000;
/** Those that we made stay as they are. A thousand HashClusters must not fill our share of the API server with them. */
const OURS_MS = 600_000;

/** Reads Secrets by name, one by one, and keeps them in memory for a while. What they hold is in no log and no plan. */
export class Secrets {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #facts = new Map<string, Kept<SecretFacts>>();
  readonly #data = new Map<string, Kept<Readonly<Record<string, string>>>>();

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Of the Secrets that a plan for this cluster may depend on, those that exist. */
  async facts(cluster: HashCluster): Promise<SecretFacts[]> {
    const { namespace } = cluster.metadata;
    const ours = new Set(madeNames(cluster));
    const facts = await Promise.all(
      secretNames(cluster).map(async (name) => {
        const keepMs = ours.has(name) ? OURS_MS : OTHERS_MS;
        return this.#keep(this.#facts, `${namespace}/${name}`, keepMs, async () => {
          const secret = await this.#read(namespace, name);
          return secret && factsOf(secret);
        });
      }),
    );
    return facts.filter((found) => found !== null);
  }

  /** One value of a Secret that we made. Rejects when the Secret or the key is not there. */
  async value(namespace: string, name: string, key: string): Promise<string> {
    const data = await this.#keep(this.#data, `${namespace}/${name}`, OURS_MS, async () => {
      return (await this.#read(namespace, name))?.data ?? null;
    });
    const value = data?.[key];
    if (value === undefined) throw new Error(`There is no key ${key} in a Secret ${namespace}/${name}`);
    return Buffer.from(value, 'base64').toString();
  }

  /** What was kept of this cluster's is read again. */
  forget({ metadata: { namespace } }: HashCluster, names: readonly string[]): void {
    for (const name of names) {
      this.#facts.delete(`${namespace}/${name}`);
      this.#data.delete(`${namespace}/${name}`);
    }
  }

  /** What is not there is asked for each time. */
  async #keep<T>(
    kept: Map<string, Kept<T>>,
    key: string,
    keepMs: number,
    read: () => Promise<T | null>,
  ): Promise<T | null> {
    const now = this.#clock.monotonic();
    const known = kept.get(key);
    if (known && now < known.until) return known.what;
    kept.delete(key);
    const what = await read();
    // Not all at once.
    if (what !== null) kept.set(key, { until: now + jittered(keepMs, 0.2, Math.random), what });
    return what;
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

function madeNames(cluster: HashCluster): string[] {
  const managed = (['mongodb', 'kafka'] as const).filter((server) => cluster.spec[server].managed);
  return managed.map((server) => credentialsName(cluster, server));
}

/** Those that we make and those that the spec names. */
export function secretNames(cluster: HashCluster): string[] {
  // Names depend on the spec alone.
  return [...new Set([...madeNames(cluster), ...externalSecrets({ cluster, observed: {} as Observed })])];
}

/** Source: `SecretFacts` says how the hash is made. */
export function factsOf({ metadata, data = {} }: Secret): SecretFacts {
  const keys = Object.keys(data).sort();
  const hash = createHash('sha256');
  for (const key of keys) hash.update(`${key}=${data[key]!}\n`);
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  const { labels = {} } = metadata;
  const isMade = labels['app.kubernetes.io/managed-by'] === 'hashcluster-operator';
  return {
    ...{ name: metadata.name, uid: metadata.uid ?? '', owner: owner?.uid ?? null, keys },
    instance: isMade ? (labels['app.kubernetes.io/instance'] ?? null) : null,
    hash: hash.digest('hex').slice(0, 16),
  };
}
