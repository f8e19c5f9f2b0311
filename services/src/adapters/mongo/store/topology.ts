import type { mongo } from 'mongoose';

/**
 * What the driver knows of the servers at this moment; null while it has not begun to look, and after it is closed. The
 * driver has it at this place, but not in its published types.
 */
export function topologyOf(client: mongo.MongoClient): mongo.TopologyDescription | null {
  const { topology } = client as unknown as {
    readonly topology?: { description: mongo.TopologyDescription };
  };
  return topology?.description ?? null;
}

/** Whether something can be written. */
export function hasPrimary({ servers }: mongo.TopologyDescription): boolean {
  return [...servers.values()].some((server) => server.isWritable);
}

/** Why there is no primary, in one line, as far as the servers say. */
export function topologyReason({ servers, setName }: mongo.TopologyDescription): string {
  if (servers.size === 0)
    return `none of the hosts is a member of the replica set '${setName ?? ''}': a single server, or another set`;
  const failed = [...servers.values()].find(({ error }) => error);
  if (failed?.error) return `${failed.address}: ${failed.error.message}`;
  const known = [...servers.values()].filter(({ type }) => type !== 'Unknown');
  if (known.length === 0) return `no answer yet from ${[...servers.keys()].join(', ')}`;
  return `no primary among ${known.map(({ address, type }) => `${address} (${type})`).join(', ')}`;
}
