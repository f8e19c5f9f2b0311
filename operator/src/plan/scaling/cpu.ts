import type { Pod } from '../kube.ts';
import { fresh, type PodUsage } from '../observed.ts';
import { conditionOf, timeOf } from '../pods.ts';
import { parseQuantity } from '../quantity.ts';
import { proportional, type Measure, type RoleView, type Signal } from './signal.ts';

/** A reading older than this is not believed, nor is a pod's own. metrics-server reads every 15 s, or every minute. */
const VALID_MS = 60_000;
const POD_VALID_MS = 150_000;
/** The times of the Horizontal Pod Autoscaler: how long a pod's CPU is that of its start. */
const INITIALIZATION_MS = 300_000;
const INITIAL_READINESS_MS = 30_000;
/** How long metrics-server measures for one value. */
const WINDOW_MS = 15_000;

/**
 * CPU of the pods against what they may use, by the rules of the Horizontal Pod Autoscaler for pods without metrics and
 * pods that are not ready. Null: it is not looked at.
 */
export function cpuSignal(view: RoleView): Signal | null {
  const { enabled, utilization } = view.spec.scaling.cpu;
  if (!enabled) return null;
  const { limits, requests } = view.spec.resources;
  const cores = parseQuantity(limits['cpu'] ?? requests['cpu']);
  if (!cores) return unknown('CPU has neither a limit nor a request (resources)');
  const { usage } = view.observed.readings;
  const rows = fresh(usage, view.observed.now, VALID_MS);
  if (rows === null) return unknown(whyUnknown(usage));
  const sorted = sortPods(view, rows);
  if (sorted.used.length === 0) return unknown('no pod has CPU metrics yet');
  const mean = sorted.used.reduce((sum, used) => sum + used, 0) / (sorted.used.length * cores);
  const measure: Measure = {
    ratio: (mean * 100) / utilization,
    counted: sorted.used.length,
    missing: sorted.missing + Math.max(0, view.current - view.pods.length),
    unready: sorted.unready,
  };
  const says = `CPU ${Math.round(mean * 100)} % / ${utilization} % target`;
  return { name: 'cpu', known: true, replicas: proportional(measure, view), says };
}

function unknown(why: string): Signal {
  return { name: 'cpu', known: false, says: why };
}

function whyUnknown(usage: RoleView['observed']['readings']['usage']): string {
  if (usage === null) return 'there is no metrics.k8s.io (install metrics-server, or turn scaling.cpu off)';
  return 'error' in usage ? `metrics.k8s.io: ${usage.error}` : 'metrics.k8s.io has not answered lately';
}

/** Cores of the pods that count, and how many are set aside. */
function sortPods({ pods, observed }: RoleView, rows: readonly PodUsage[]) {
  const usage = new Map(rows.map((row) => [row.pod, row]));
  const used: number[] = [];
  let missing = 0;
  let unready = 0;
  for (const pod of pods) {
    const row = usage.get(pod.metadata.name);
    if (pod.status?.phase === 'Pending') unready++;
    else if (row === undefined || observed.now - row.at > POD_VALID_MS) missing++;
    else if (isStarting(pod, row.at, observed.now)) unready++;
    else used.push(row.cpuCores);
  }
  return { used, missing, unready };
}

/** Whether a pod has not become ready yet, or its CPU was measured before it was. */
function isStarting(pod: Pod, measuredAt: number, now: number): boolean {
  const ready = conditionOf(pod, 'Ready');
  const changedAt = timeOf(ready?.lastTransitionTime);
  const startedAt = timeOf(pod.status?.startTime);
  if (ready === undefined || changedAt === null || startedAt === null) return true;
  const isUnready = ready.status !== 'True';
  if (now < startedAt + INITIALIZATION_MS) return isUnready || measuredAt < changedAt + WINDOW_MS;
  return isUnready && changedAt < startedAt + INITIAL_READINESS_MS;
}
