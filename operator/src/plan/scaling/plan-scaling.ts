import type { Action } from '../action.ts';
import type { KubeObject, ObjectRef } from '../kube.ts';
import { refOf } from '../kube.ts';
import type { LedgerEntry, Observed, Role } from '../observed.ts';
import { isLeaving, componentOf, podsOf, timeOf } from '../pods.ts';
import { chooseToGo, markActions } from './choose.ts';
import { cpuSignal } from './cpu.ts';
import { decide } from './decide.ts';
import type { RoleDecision, ScalingPlan } from './decision.ts';
import { diskSignals } from './disk.ts';
import { beginning, isNews, type Recommendation } from './history.ts';
import type { RoleView, Signal } from './signal.ts';
import { clusterReport, jobsSignal, usefulWorkers, workerReports, workSignals } from './work.ts';

const ROLES: readonly Role[] = ['endpoint', 'worker'];
/** A pod that is still there so long after it should have gone is not waited for. */
const LOST_MS = 60_000;
/** A change of our own is seen by then, or has not been carried out. */
const UNSEEN_MS = 10_000;
const UNDERWAY = 'the last change is still being carried out';

/** A Deployment: what is read of it. */
interface Deployment extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

/**
 * How many endpoints and workers there should be, and what leads there. Nothing for a cluster that is paused or being
 * deleted. Of fewer workers, those that should go are marked first; the number changes once the marks have been seen
 * on the pods, so that whoever deletes pods knows them too.
 */
export function planScaling(observed: Observed): ScalingPlan {
  const { spec, metadata } = observed.cluster;
  const isOff = spec.paused || metadata.deletionTimestamp !== undefined;
  const plans = isOff ? [] : ROLES.flatMap((role) => planRole(role, observed));
  return {
    decisions: plans.map(({ decision }) => decision),
    actions: plans.flatMap(({ actions }) => actions),
  };
}

interface RolePlan {
  readonly decision: RoleDecision;
  readonly actions: readonly Action[];
}

function planRole(role: Role, observed: Observed): RolePlan[] {
  const deployment = deploymentOf(role, observed);
  if (!deployment) return [];
  const { now, ledger } = observed;
  const seen = deployment.spec?.replicas ?? 1;
  const ours = changeNotSeen(ledger, role, { seen, now });
  const current = ours ?? seen;
  const begin = beginning(ledger, { kind: 'recommendation', at: now, role, replicas: current });
  const view: RoleView = {
    ...{ role, current, spec: observed.cluster.spec[role], pods: podsOf(observed, role) },
    observed: { ...observed, ledger: [...ledger, ...begin] },
  };
  const unsettled = ours === null ? whyUnsettled(view, deployment) : UNDERWAY;
  const decision = decide({ view, signals: signalsOf(view), unsettled });
  const wanted: Recommendation = { kind: 'recommendation', at: now, role, replicas: decision.wanted };
  const news = isNews(view.observed.ledger, wanted) ? [wanted] : [];
  const actions = [
    ...[...begin, ...news].map((entry) => remember(entry, decision.why)),
    ...changeActions({ view, decision, ref: refOf(deployment), isSettled: unsettled === null }),
  ];
  return [{ decision, actions }];
}

/** Endpoints hold no jobs, so how much work waits does not count for them. */
function signalsOf(view: RoleView): Signal[] {
  const cpu = cpuSignal(view);
  const ownCpu = cpu === null ? [] : [cpu];
  if (view.role === 'endpoint') return [...ownCpu, ...diskSignals(view)];
  const report = clusterReport(view.observed);
  const jobs = view.spec.replicas.min === 0 ? [jobsSignal(report)] : [];
  // Without a worker nothing else can be measured.
  if (jobs.length > 0 && view.current === 0) return jobs;
  const useful = usefulWorkers(report);
  return [
    ...jobs,
    ...ownCpu.map((signal) => capped(signal, useful)),
    ...diskSignals(view),
    ...workSignals(view),
  ];
}

function capped(signal: Signal, most: number): Signal {
  return signal.known ? { ...signal, replicas: Math.min(signal.replicas, most) } : signal;
}

interface Change {
  readonly view: RoleView;
  readonly decision: RoleDecision;
  readonly ref: ObjectRef;
  readonly isSettled: boolean;
}

function changeActions({ view, decision, ref, isSettled }: Change): Action[] {
  const { role, current, pods, observed } = view;
  const { replicas, why } = decision;
  const isDown = replicas < current;
  if (role === 'worker' && (isDown || (replicas === current && isSettled))) {
    const count = isDown ? Math.max(0, pods.length - replicas) : 0;
    const marks = markActions(pods, chooseToGo(pods, workerReports(observed), count), why);
    if (marks.length > 0) return marks;
  }
  if (replicas === current) return [];
  const message = `Scaled ${role}s ${current}→${replicas}: ${why}`;
  return [
    { kind: 'scale', ref, replicas, why },
    remember({ kind: 'scale', at: observed.now, role, from: current, to: replicas }, why),
    { kind: 'event', type: 'Normal', reason: isDown ? 'ScaledDown' : 'ScaledUp', message },
  ];
}

function remember(entry: LedgerEntry, why: string): Action {
  return { kind: 'remember', entry, why };
}

function deploymentOf(role: Role, { children, cluster }: Observed): Deployment | undefined {
  const name = `${cluster.metadata.name}-${role}`;
  return children.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
}

/** The replicas that we have written a moment ago, when the Deployment that we see is still the one before; or null. */
function changeNotSeen(
  ledger: readonly LedgerEntry[],
  role: Role,
  { seen, now }: { readonly seen: number; readonly now: number },
): number | null {
  const last = ledger.findLast((entry) => entry.kind === 'scale' && entry.role === role);
  if (last?.kind !== 'scale') return null;
  return last.from === seen && now - last.at < UNSEEN_MS ? last.to : null;
}

/** Why fewer pods cannot be decided on yet: one decision at a time. Null: they can. */
function whyUnsettled(
  { role, current, observed }: RoleView,
  { metadata, status }: Deployment,
): string | null {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = status ?? {};
  if (observedGeneration < (metadata.generation ?? 0) || replicas > current) return UNDERWAY;
  if (updatedReplicas < replicas) return 'a new version is being rolled out';
  const leaving = observed.pods.filter((pod) => componentOf(pod) === role && isLeaving(pod));
  const isDraining = leaving.some(({ metadata: { deletionTimestamp } }) => {
    return observed.now < (timeOf(deletionTimestamp) ?? 0) + LOST_MS;
  });
  return isDraining ? 'pods of the last scale-down are still draining' : null;
}
