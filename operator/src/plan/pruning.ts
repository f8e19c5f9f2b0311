import type { ActionOf } from './action.ts';
import type { Context } from './desired/context.ts';
import { controllerOf, refOf, type KubeObject } from './kube.ts';

/** Data has no owner, and is deleted by nobody but the finalizer. */
const KEPT = new Set(['PersistentVolumeClaim', 'Secret', 'Pod']);

function key({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}

/** Children of this very HashCluster that nobody wants any more. */
export function prune({ cluster, observed }: Context, wanted: readonly KubeObject[]): ActionOf<'delete'>[] {
  const keys = new Set(wanted.map(key));
  return observed.children
    .filter(({ kind, metadata }) => !KEPT.has(kind) && metadata.deletionTimestamp === undefined)
    .filter((child) => controllerOf(child) === cluster.metadata.uid)
    .filter((child) => !keys.has(key(child)))
    .map((child) => ({ kind: 'delete', ref: refOf(child), why: 'the spec asks for it no more' }));
}
