import { kubectl, saysReady, type Live, type Namespace } from './kube.ts';
import { run } from './run.ts';

/** A way to lose a node. Each returns what brings the node back. */
export type NodeFault = 'stopped' | 'paused' | 'disconnected';

const LIMIT_MS = 120_000;

/** Loses a node, which is a container here. */
export async function lose(node: string, how: NodeFault): Promise<() => Promise<void>> {
  const docker = async (...args: string[]): Promise<void> => {
    await run('docker', args, { limitMs: LIMIT_MS });
  };
  switch (how) {
    case 'stopped':
      // As when the power fails: nothing on it is told.
      await docker('kill', node);
      return () => docker('start', node);
    case 'paused':
      await docker('pause', node);
      return () => docker('unpause', node);
    case 'disconnected':
      await firewall(node, '-I');
      return () => firewall(node, '-D');
  }
}

/** Drops whatever enters or leaves the node by its cable; what is on the node still reaches one another. */
async function firewall(node: string, verb: '-I' | '-D'): Promise<void> {
  const chains = [
    ['INPUT', '-i'],
    ['FORWARD', '-i'],
    ['FORWARD', '-o'],
    ['OUTPUT', '-o'],
  ] as const;
  // A kubelet may well speak IPv6.
  for (const program of ['iptables', 'ip6tables'])
    for (const [chain, direction] of chains) {
      const rule = [chain, direction, 'eth0', '-j', 'DROP'];
      await run('docker', ['exec', node, program, '--wait', verb, ...rule], { limitMs: LIMIT_MS });
    }
}

/** Moves everything off a node as an administrator does, within the budgets for disruption. */
export async function drain(node: string): Promise<void> {
  const args = ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s'];
  await kubectl(args, { limitMs: 250_000 });
}

/** Lets pods come to a drained node again. Idempotent. */
export async function uncordon(node: string): Promise<void> {
  await kubectl(['uncordon', node]);
}

/** Whether the control plane believes a node to be well. */
export async function isReady(node: string): Promise<boolean> {
  const { status } = JSON.parse(await kubectl(['get', 'node', node, '--output', 'json'])) as Live;
  return saysReady(status);
}

/** The node on which the fewest of some pods are, among the nodes that have any pod of the namespace. */
export async function leastUsed(namespace: Namespace, selector: string): Promise<string> {
  const nodeOf = ({ spec }: Live) => (spec as { nodeName?: string }).nodeName ?? '';
  const all = new Map((await namespace.list('pods')).map((pod) => [nodeOf(pod), 0]));
  for (const pod of await namespace.list('pods', selector)) {
    all.set(nodeOf(pod), (all.get(nodeOf(pod)) ?? 0) + 1);
  }
  const [least] = [...all].filter(([name]) => name !== '').sort(([, one], [, other]) => one - other);
  if (!least) throw new Error(`There are no pods in ${namespace.name}`);
  return least[0];
}
