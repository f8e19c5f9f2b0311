/** A worker as the others see it. */
export interface Peer {
  readonly lanes: number;
  readonly freeLanes: number;
  readonly jobs: number;
  readonly draining: boolean;
}

/**
 * How many jobs a worker should give back for others to take: no more than it has beyond its own lanes, and its part of
 * the lanes that are free elsewhere, divided among all workers that have jobs to spare.
 */
export function jobsToRelease(me: Peer, others: readonly Peer[]): number {
  const surplus = spare(me);
  if (surplus === 0) return 0;
  const free = others.reduce((sum, peer) => sum + (peer.draining ? 0 : peer.freeLanes), 0);
  const all = others.reduce((sum, peer) => sum + spare(peer), surplus);
  return Math.min(surplus, Math.ceil((free * surplus) / all));
}

function spare(peer: Peer): number {
  return peer.draining ? 0 : Math.max(0, peer.jobs - peer.lanes);
}
