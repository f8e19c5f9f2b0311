import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../../lib/client.ts';
import { throughIngress } from './ingress.ts';
import { Namespace } from './kube.ts';
import { circumstances } from './operator.ts';

const DUMPS = fileURLToPath(new URL('../../../.cache/e2e/', import.meta.url));

/** Each look is a kubectl, which takes more CPU time than what it asks about. */
const LOOK_MS = 1_000;

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/** A spec that suits a small machine: one of each server, two endpoints, two workers, reached through the ingress. */
export function smallSpec(host: string): Record<string, unknown> {
  return {
    deletionPolicy: 'Delete',
    endpoint: { replicas: { min: 2, max: 2 } },
    worker: { replicas: { min: 2, max: 2 } },
    mongodb: { managed: { replicas: 1, storage: '1Gi' } },
    kafka: { managed: { replicas: 1, storage: '1Gi' } },
    ...reachable(host),
  };
}

/** The same, with a MongoDB that does without any one of its members. */
export function sturdySpec(host: string): Record<string, unknown> {
  return { ...smallSpec(host), mongodb: { managed: { replicas: 3, storage: '1Gi' } } };
}

/** The part of a spec by which the ingress of these tests finds it. */
export function reachable(host: string): Record<string, unknown> {
  return { ingress: { enabled: true, className: 'contour', host } };
}

/** One HashCluster of a story, in a namespace of its own. */
export class TestCluster {
  readonly name: string;
  readonly host: string;
  readonly namespace: Namespace;

  /** @param place what its namespace and its host are named after */
  constructor(name: string, place = name) {
    this.name = name;
    this.host = `${place}.example.org`;
    this.namespace = new Namespace(`e2e-${place}`);
  }

  /** Applies a manifest with this spec, as a user does. */
  async apply(spec: Readonly<Record<string, unknown>>): Promise<void> {
    await this.namespace.create();
    const metadata = { name: this.name, namespace: this.namespace.name };
    await this.namespace.apply({
      apiVersion: 'hashcluster.io/v1alpha1',
      kind: 'HashCluster',
      metadata,
      spec,
    });
  }

  /** Waits until it is ready, as of the spec that was applied last; how long that took, in milliseconds. */
  async ready(limitSeconds = 300): Promise<number> {
    const began = performance.now();
    await this.until('ready', () => this.#isReady(), limitSeconds);
    // An ingress controller hears of ready pods a moment later than anybody else.
    await this.until('reached through the ingress', () => this.#answers(), 60);
    return Math.round(performance.now() - began);
  }

  async #isReady(): Promise<boolean> {
    const { generation, status } = await this.#read();
    const is = (type: string, value: string) =>
      status.conditions?.some((each) => each.type === type && each.status === value) ?? false;
    return status.observedGeneration === generation && is('Ready', 'True') && is('Progressing', 'False');
  }

  async #read(): Promise<{ readonly generation: number | undefined; readonly status: Status }> {
    const found = await this.namespace.find('hashcluster', this.name);
    return { generation: found?.metadata.generation, status: found?.status ?? {} };
  }

  async #answers(): Promise<boolean> {
    const answer = await throughIngress({ host: this.host, path: '/v1/cluster' }).catch(() => null);
    return answer?.status === 200;
  }

  async conditions(): Promise<readonly Condition[]> {
    return (await this.#read()).status.conditions ?? [];
  }

  /** Names of the pods of a part that are not on their way out. */
  async pods(component: 'endpoint' | 'worker' | 'mongodb' | 'kafka'): Promise<string[]> {
    const selector = `app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=${component}`;
    const pods = await this.namespace.list('pods', selector);
    return pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  }

  /** Waits until a condition holds, looking once a second. Rejects after the limit, and leaves what can be known in .cache/e2e. */
  async until(what: string, holds: () => Promise<boolean>, limitSeconds: number): Promise<void> {
    try {
      await until(`${this.name} is ${what}`, limitSeconds * 1_000, holds, LOOK_MS);
    } catch (error) {
      throw new Error(`${String(error)}; see ${await this.dump()}`, { cause: error });
    }
  }

  /** Writes what helps to understand a failure. Returns the file. */
  async dump(): Promise<string> {
    await mkdir(DUMPS, { recursive: true });
    const file = `${DUMPS}${this.namespace.name}.txt`;
    await writeFile(file, await circumstances(this.namespace));
    return file;
  }

  /** Begins to delete the HashCluster and its namespace; the next story need not wait for that. Idempotent. */
  async remove(): Promise<void> {
    await this.namespace.kubectl(['delete', 'hashcluster', this.name, '--ignore-not-found', '--wait=false']);
    await this.namespace.beginRemoval();
  }
}
