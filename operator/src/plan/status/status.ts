import {
  CONDITIONS,
  type ClusterStatus,
  type Condition,
  type ConditionType,
  type ReplicaStatus,
  type ScalingStatus,
} from '../../api/status.ts';
import type { ActionOf } from '../action.ts';
import { serviceImage } from '../desired/images.ts';
import { urlOf } from '../desired/ingress.ts';
import { selectorOf, selectorText } from '../desired/names.ts';
import { canonical } from '../fingerprint.ts';
import { fresh, type ClusterReport, type Component, type Observed } from '../observed.ts';
import { timeOf } from '../pods.ts';
import { isStillAsking } from './asking.ts';
import { verdictsOf } from './conditions.ts';
import { factsOf, type Facts, type Findings } from './facts.ts';
import type { Context } from '../desired/context.ts';
import type { Verdict } from './verdict.ts';

const VALID_MS = 60_000;
/** A backlog that has changed by less than this share is no news. */
const NEWS = 0.1;
const MAX_MESSAGE = 4096;
/** A status that says nothing new is written again after so long: its age says whether an operator works. */
const OBSERVED_MS = 60_000;

/** RFC 3339, without the fraction. */
function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Equal but for numbers: what changes with every look is no news. */
function isSameSaying(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => text.replace(/\d+(\.\d+)?/g, '#'));
  return x === y;
}

function conditionOf(facts: Facts, type: ConditionType, verdict: Verdict): Condition {
  const { cluster, observed } = facts.context;
  const before = cluster.status?.conditions?.find((condition) => condition.type === type);
  const message = verdict.message.slice(0, MAX_MESSAGE);
  const same = before?.status === verdict.status;
  const old = type === 'ScalingLimited' && same && before.reason === verdict.reason ? before.message : null;
  return {
    type,
    ...{ status: verdict.status, reason: verdict.reason },
    message: old !== null && isSameSaying(old, message) ? old : message,
    observedGeneration: cluster.metadata.generation,
    lastTransitionTime: same ? before.lastTransitionTime : instant(observed.now),
  };
}

function replicasOf({ context, counts }: Facts, component: Component): ReplicaStatus | undefined {
  const { spec } = context.cluster;
  if ((component === 'mongodb' || component === 'kafka') && !spec[component].managed) return undefined;
  const { desired, replicas, ready, updated } = counts[component];
  const selector = selectorText(selectorOf(context.cluster, component));
  return { replicas, ready, updated, desired, selector };
}

/** The report of an endpoint that was heard last; null when none was heard of late. */
function lastReport({ readings, now }: Observed): ClusterReport | null {
  const heard = readings.endpoints
    .map(({ cluster }) => cluster)
    .filter((reading) => fresh(reading, now, VALID_MS) !== null)
    .sort((a, b) => b.at - a.at);
  return heard[0] === undefined ? null : fresh(heard[0], now, VALID_MS);
}

/** About the number: near the old one it is the old one, so that a status is not written with every look. */
function steady(value: number, before: number | undefined): number {
  const rounded = Math.round(value);
  if (before === undefined || (rounded === 0) !== (before === 0)) return rounded;
  return Math.abs(rounded - before) <= Math.max(1, before * NEWS) ? before : rounded;
}

function backlogOf({ observed, cluster }: Context): ClusterStatus['backlog'] {
  const report = lastReport(observed);
  if (!report) return undefined;
  const before = cluster.status?.backlog;
  const { queued, seconds } = report.backlog;
  const ages = queued.flatMap(({ oldestSeconds }) => (oldestSeconds === null ? [] : [oldestSeconds]));
  const jobs = queued.reduce((sum, queue) => sum + queue.jobs, 0);
  return {
    queued: steady(jobs, before?.queued),
    ...(seconds !== null && { seconds: steady(seconds, before?.seconds) }),
    ...(ages.length > 0 && { oldestSeconds: steady(Math.max(...ages), before?.oldestSeconds) }),
  };
}

function scalingOf({ scaling, context }: Facts): ScalingStatus[] {
  const before = context.cluster.status?.scaling ?? [];
  return (['endpoint', 'worker'] as const).flatMap((role) => {
    const decision = scaling.decisions.find((candidate) => candidate.role === role);
    const changes = scaling.actions.some(
      (action) => action.kind === 'remember' && action.entry.kind === 'scale' && action.entry.role === role,
    );
    const kept = before.filter((entry) => entry.role === role);
    if (!decision || !changes) return kept;
    const { current: from, replicas: to, signals, why } = decision;
    const known = signals.flatMap((signal) => (signal.known ? [signal] : []));
    const [largest] = [...known].sort((a, b) => b.replicas - a.replicas);
    const at = instant(context.observed.now);
    return [{ role, at, from, to, signal: largest?.name ?? 'bounds', why: why.slice(0, 1024) }];
  });
}

function healingOf({ cluster, observed }: Context): ClusterStatus['healing'] {
  const before = cluster.status?.healing;
  const since = before === undefined ? -Infinity : Date.parse(before.lastAt) + 999;
  const news = observed.ledger.filter((entry) => entry.kind === 'disruption' && entry.at > since);
  const last = news.at(-1);
  if (last?.kind !== 'disruption') return before;
  return {
    replaced: (before?.replaced ?? 0) + news.length,
    last: `${last.pod}: ${last.reason}`.slice(0, 1024),
    lastAt: instant(last.at),
  };
}

function withoutUndefined(status: ClusterStatus): ClusterStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}

/** The status that a cluster should have now. */
export function statusOf(context: Context, findings: Findings): ClusterStatus {
  const facts = factsOf(context, findings);
  const verdicts = verdictsOf(facts);
  const scaling = scalingOf(facts);
  return withoutUndefined({
    observedGeneration: context.cluster.metadata.generation,
    observedAt: instant(context.observed.now),
    conditions: CONDITIONS.map((type) => conditionOf(facts, type, verdicts[type])),
    url: urlOf(context),
    version: serviceImage(context).image,
    endpoint: replicasOf(facts, 'endpoint'),
    worker: replicasOf(facts, 'worker'),
    mongodb: replicasOf(facts, 'mongodb'),
    kafka: replicasOf(facts, 'kafka'),
    replicaSet: facts.replicaSet,
    backlog: backlogOf(context),
    scaling: scaling.length > 0 ? scaling : undefined,
    healing: healingOf(context),
  });
}

function isFresh({ observedAt }: ClusterStatus, now: number): boolean {
  return now - (timeOf(observedAt) ?? 0) < OBSERVED_MS;
}

/** Equal but for when the operator looked. */
function isSameStatus(status: ClusterStatus, { observedAt, ...before }: ClusterStatus): boolean {
  return canonical({ ...status, observedAt }) === canonical({ ...before, observedAt });
}

/** Writes the status where it says something new; null where it does not, or where it does not know yet. */
export function writingStatus(context: Context, findings: Findings): ActionOf<'status'> | null {
  const { metadata, status: told } = context.cluster;
  const isTold = told?.observedGeneration === metadata.generation;
  if (isTold && isStillAsking(context.observed)) return null;
  const status = statusOf(context, findings);
  const before = context.cluster.status ?? {};
  if (isFresh(before, context.observed.now) && isSameStatus(status, before)) return null;
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return { kind: 'status', status, why: `${ready?.reason ?? 'Unknown'}: ${ready?.message ?? ''}` };
}
