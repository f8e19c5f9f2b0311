import { run } from './run.ts';
import { CLUSTER } from './kube.ts';

/** Drops what passes between two pods, on every node, in both directions. Returns what heals it. */
export async function cutBetween(one: string, other: string): Promise<() => Promise<void>> {
  const nodes = (await run('kind', ['get', 'nodes', '--name', CLUSTER])).split('\n');
  const onAll = async (verb: '-I' | '-D'): Promise<void> => {
    for (const node of nodes)
      for (const [from, to] of [
        [one, other],
        [other, one],
      ] as const)
        await run('docker', ['exec', node, 'iptables', verb, 'FORWARD', '-s', from, '-d', to, '-j', 'DROP']);
  };
  await onAll('-I');
  return () => onAll('-D');
}
