import { run, type RunOptions } from './run.ts';

/** The cluster of these tests; `kind` names it `kind-…` in kubeconfig. */
export const CLUSTER = 'hashcluster-e2e';
export const CONTEXT = `kind-${CLUSTER}`;

/** An object as `kubectl get -o json` shows it. */
export interface Live {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // What else there is depends on the kind.
  readonly spec: Record<string, never>;
  readonly status?: Record<string, never>;
}

/** Whether a status, of a pod or a node, has the condition Ready. */
export function saysReady(status: Live['status']): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some((each) => each.type === 'Ready' && each.status === 'True');
}

/** `kubectl` on the cluster of these tests. Rejects with what it said. */
export function kubectl(args: readonly string[], options?: RunOptions): Promise<string> {
  return run('kubectl', ['--context', CONTEXT, ...args], options);
}

/** `helm` on the cluster of these tests. */
export function helm(args: readonly string[], options?: RunOptions): Promise<string> {
  return run('helm', ['--kube-context', CONTEXT, ...args], options);
}

/** A namespace to work in. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Makes it, with Pod Security `restricted` enforced, once one of that name that is being deleted is gone. Idempotent. */
  async create(): Promise<void> {
    const phase = ['--output', 'jsonpath={.status.phase}'];
    const found = await kubectl(['get', 'namespace', this.name, '--ignore-not-found', ...phase]);
    if (found === 'Terminating') await this.remove();
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.name, labels } };
    await kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  }

  /** Deletes it and everything in it, and waits until that is gone. Idempotent. */
  async remove(): Promise<void> {
    const args = ['delete', 'namespace', this.name, '--ignore-not-found', '--timeout=240s'];
    await kubectl(args, { limitMs: 250_000 });
  }

  /** Begins to delete it and everything in it. Idempotent. */
  async beginRemoval(): Promise<void> {
    await kubectl(['delete', 'namespace', this.name, '--ignore-not-found', '--wait=false']);
  }

  kubectl(args: readonly string[], options?: RunOptions): Promise<string> {
    return kubectl(['--namespace', this.name, ...args], options);
  }

  async apply(object: object): Promise<void> {
    await this.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  }

  /** Objects of a kind, such as `pods`, with a label selector. */
  async list(kind: string, selector = ''): Promise<Live[]> {
    const selected = selector === '' ? [] : ['--selector', selector];
    const text = await this.kubectl(['get', kind, ...selected, '--output', 'json']);
    return (JSON.parse(text) as { items: Live[] }).items;
  }

  /** One object; null where there is none. */
  async find(kind: string, name: string): Promise<Live | null> {
    const text = await this.kubectl(['get', kind, name, '--ignore-not-found', '--output', 'json']);
    return text === '' ? null : (JSON.parse(text) as Live);
  }

  /** Waits for a condition of `kubectl wait`, such as `condition=Ready`. Rejects after `limitSeconds`. */
  async wait(what: string, condition: string, limitSeconds: number): Promise<void> {
    const args = ['wait', what, `--for=${condition}`, `--timeout=${limitSeconds}s`];
    await this.kubectl(args, { limitMs: (limitSeconds + 10) * 1_000 });
  }
}
