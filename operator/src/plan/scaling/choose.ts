import type { Action } from '../action.ts';
import { refOf, type Pod } from '../kube.ts';
import type { WorkerReport } from '../observed.ts';
import { isReady } from '../pods.ts';

/** Pods of a ReplicaSet that cost less to delete go first. Source: KEP-2255; an integer of 32 bits. */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const CHEAP = '-1000';

/**
 * The pods that should go when `count` must: those that do no work anyway because they are not ready, then idle ones,
 * then those with the least work, then those of which nothing is known. Among equals those that are marked already, so
 * that a choice once made stands, and then the youngest.
 */
export function chooseToGo(
  pods: readonly Pod[],
  reports: ReadonlyMap<string, WorkerReport> | null,
  count: number,
): Pod[] {
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, reports?.get(pod.metadata.name)) }));
  ranked.sort((a, b) => compare(a.rank, b.rank) || b.pod.metadata.name.localeCompare(a.pod.metadata.name));
  return ranked.slice(0, count).map(({ pod }) => pod);
}

/** Marks the pods that should go as cheap, and takes the mark away from all others. Nothing when it is so already. */
export function markActions(pods: readonly Pod[], toGo: readonly Pod[], why: string): Action[] {
  return pods.flatMap((pod): Action[] => {
    const shouldGo = toGo.includes(pod);
    if (shouldGo === isMarked(pod)) return [];
    const annotations = { [DELETION_COST]: shouldGo ? CHEAP : null };
    return [{ kind: 'annotate', ref: refOf(pod), annotations, why: shouldGo ? why : 'it stays' }];
  });
}

function isMarked({ metadata }: Pod): boolean {
  return metadata.annotations?.[DELETION_COST] === CHEAP;
}

/** In order of weight; lower goes first. */
function rankOf(pod: Pod, report: WorkerReport | undefined): number[] {
  const born = Date.parse(pod.metadata.creationTimestamp ?? '');
  const marked = isMarked(pod) ? 0 : 1;
  return [isReady(pod) ? 1 : 0, ...workOf(report, marked), Number.isNaN(born) ? 0 : -born];
}

/** Among the busy the mark weighs more than the seconds of work, which change all the time. */
function workOf(
  report: WorkerReport | undefined,
  marked: number,
): [kind: number, marked: number, seconds: number] {
  if (report === undefined || report.state === 'dead' || report.state === 'left') return [2, marked, 0];
  return [report.jobs === 0 ? 0 : 1, marked, report.backlogSeconds];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index === -1 ? 0 : a[index]! - b[index]!;
}
