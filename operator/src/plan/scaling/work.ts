import { fresh, type ClusterReport, type Observed, type WorkerReport } from '../observed.ts';
import { proportional, type RoleView, type Signal } from './signal.ts';

/** An endpoint's word older than this is not believed. It is asked every few seconds. */
const VALID_MS = 20_000;

/** The word of the endpoint that hears most workers, of those that answered lately; null: none did. */
export function clusterReport({ readings, now }: Observed): ClusterReport | null {
  return readings.endpoints
    .map(({ cluster }) => fresh(cluster, now, VALID_MS))
    .filter((report) => report !== null)
    .reduce<ClusterReport | null>((best, next) => (best && heard(best) >= heard(next) ? best : next), null);
}

/** What the endpoints last heard of each worker, by pod; null: no endpoint answered lately. */
export function workerReports({ readings, now }: Observed): ReadonlyMap<string, WorkerReport> | null {
  const answers = readings.endpoints
    .map(({ workers }) => fresh(workers, now, VALID_MS))
    .filter((rows) => rows !== null);
  if (answers.length === 0) return null;
  const known = new Map<string, WorkerReport>();
  for (const row of answers.flat()) {
    const before = known.get(row.host);
    if (!before || isNewer(row, before)) known.set(row.host, row);
  }
  return known;
}

/** Wall clocks of endpoints differ: how long each of them has heard nothing is compared where both say so. */
function isNewer(row: WorkerReport, before: WorkerReport): boolean {
  if (row.silentSeconds !== undefined && before.silentSeconds !== undefined)
    return row.silentSeconds < before.silentSeconds;
  return Date.parse(before.lastSeen) < Date.parse(row.lastSeen);
}

/**
 * The most workers that there is something to do for: a job keeps one engine busy at most, so more of them would stand
 * by. Infinity while it is not known.
 */
export function usefulWorkers(report: ClusterReport | null): number {
  if (report === null || heard(report) === 0) return Infinity;
  return Math.ceil(jobsOf(report) / Math.max(1, report.engines / heard(report)));
}

/** For workers of which there may be none: one as long as there is any job. */
export function jobsSignal(report: ClusterReport | null): Signal {
  if (report === null)
    return { name: 'jobs', known: false, says: 'no endpoint says how many jobs there are' };
  const jobs = jobsOf(report);
  const says = jobs === 0 ? 'no jobs' : `${jobs} ${jobs === 1 ? 'job' : 'jobs'} queued or running`;
  return { name: 'jobs', known: true, replicas: Math.min(1, jobs), says };
}

function jobsOf({ backlog }: ClusterReport): number {
  return backlog.queued.reduce((sum, queue) => sum + queue.jobs, backlog.running);
}

/** For workers: seconds of work for those that are heard, and the age of the oldest queued job, where they are looked at. */
export function workSignals(view: RoleView): Signal[] {
  const { backlog, oldestAge } = view.observed.cluster.spec.worker.scaling;
  const report = clusterReport(view.observed);
  const signals: Signal[] = [];
  if (backlog.enabled) {
    const seconds = report?.backlog.seconds ?? null;
    const why =
      report === null ? 'no endpoint says how much work there is' : 'there is work, but no worker is heard';
    signals.push(signal('backlog', { view, report, seconds, target: backlog.seconds, why }));
  }
  if (oldestAge.enabled) {
    const ages = report?.backlog.queued.map(({ oldestSeconds }) => oldestSeconds ?? 0);
    const seconds = ages ? Math.max(0, ...ages) : null;
    const why = 'no endpoint says how long jobs have waited';
    signals.push(signal('oldestAge', { view, report, seconds, target: oldestAge.seconds, why }));
  }
  return signals;
}

interface Work {
  readonly view: RoleView;
  readonly report: ClusterReport | null;
  readonly seconds: number | null;
  readonly target: number;
  /** Why `seconds` is not known. */
  readonly why: string;
}

function signal(name: 'backlog' | 'oldestAge', { view, report, seconds, target, why }: Work): Signal {
  if (report === null || seconds === null) return { name, known: false, says: why };
  // Seconds are of the workers that are heard, not of those that have been asked for and are still starting.
  const counted = heard(report);
  const missing = Math.max(0, view.current - counted);
  const wanted = proportional({ ratio: seconds / target, counted, missing, unready: 0 }, view);
  const words = name === 'backlog' ? 'backlog' : 'oldest job';
  return {
    name,
    known: true,
    replicas: Math.min(wanted, usefulWorkers(report)),
    says: `${words} ${Math.round(seconds)} s / ${target} s target`,
  };
}

/** Workers that are heard. Those that drain count: their capacity is in the sum. */
function heard({ workers }: ClusterReport): number {
  return workers.live + workers.draining;
}
