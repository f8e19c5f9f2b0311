import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { throughIngress } from './ingress.ts';
import { Namespace } from './kube.ts';
import { circumstances } from './operator.ts';

const DUMPS = fileURLToPath(new URL('../../../.cache/e2e/', import.meta.url));
export const INGRESS_NAMESPACE = 'projectcontour';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
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

/** The part of a spec by which the ingress of these tests finds it. */
export function reachable(host: string): Record<string, unknown> {
  const clients = [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': INGRESS_NAMESPACE } } },
  ];
  return { ingress: { enabled: true, className: 'contour', host }, networkPolicy: { clients } };
}

/** One HashCluster of a story, in a namespace of its own. */
export class TestCluster {
  readonly name: string;
  readonly host: string;
  readonly namespace: Namespace;

  constructor(name: string) {
    this.name = name;
    this.host = `${name}.example.org`;
    this.namespace = new Namespace(`e2e-${name}`);
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
    try {
      await this.until(
        'ready',
        async () => {
          const found = await this.namespace.find('hashcluster', this.name);
          const status = found?.status as
            { observedGeneration?: number; conditions?: Condition[] } | undefined;
          const is = (type: string, value: string) =>
            status?.conditions?.some((each) => each.type === type && each.status === value) ?? false;
          return (
            status?.observedGeneration === found?.metadata.generation &&
            is('Ready', 'True') &&
            is('Progressing', 'False')
          );
        },
        limitSeconds,
      );
    } catch (error) {
      await this.dump();
      throw error;
    }
    // An ingress controller hears of ready pods a moment later than anybody else.
    await this.until('reached through the ingress', () => this.#answers(), 60);
    return Math.round(performance.now() - began);
  }

  async #answers(): Promise<boolean> {
    const answer = await throughIngress({ host: this.host, path: '/v1/cluster' }).catch(() => null);
    return answer?.status === 200;
  }

  async conditions(): Promise<readonly Condition[]> {
    const found = await this.namespace.find('hashcluster', this.name);
    return (found?.status as { conditions?: Condition[] } | undefined)?.conditions ?? [];
  }

  /** Names of the pods of a part that are not on their way out. */
  async pods(component: 'endpoint' | 'worker' | 'mongodb' | 'kafka'): Promise<string[]> {
    const selector = `app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=${component}`;
    const pods = await this.namespace.list('pods', selector);
    return pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  }

  /** Waits until a condition holds, looking twice a second. Rejects after the limit, and leaves what can be known in .cache/e2e. */
  async until(what: string, holds: () => Promise<boolean>, limitSeconds: number): Promise<void> {
    const end = performance.now() + limitSeconds * 1_000;
    while (!(await holds())) {
      if (performance.now() > end) {
        const file = await this.dump();
        throw new Error(`${this.name} is not ${what} within ${limitSeconds} s; see ${file}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Writes what helps to understand a failure. Returns the file. */
  async dump(): Promise<string> {
    await mkdir(DUMPS, { recursive: true });
    const file = `${DUMPS}${this.name}.txt`;
    await writeFile(file, await circumstances(this.namespace));
    return file;
  }

  /** Deletes the HashCluster, waits until it is gone, and deletes the namespace. Idempotent. */
  async remove(): Promise<void> {
    const args = ['delete', 'hashcluster', this.name, '--ignore-not-found', '--timeout=180s'];
    await this.namespace.kubectl(args, { limitMs: 190_000 });
    await this.namespace.remove();
  }
}
