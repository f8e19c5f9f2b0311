import type { Action } from './action.ts';
import { liveChild, secretNamed, type Context } from './desired/context.ts';
import { mongoAddress, mongoMembers, mongoUsers } from './desired/mongodb.ts';
import { childName } from './desired/names.ts';
import { fresh, type MongoMember, type MongoReport } from './observed.ts';
import { podsOf } from './pods.ts';
import type { Workload } from './rollout.ts';

/** A report older than this says nothing about now. */
const VALID_MS = 60_000;
const TAKES_PART = new Set(['PRIMARY', 'SECONDARY']);

/** What MongoDB last said of itself; null while that is not known. */
export function mongoReport({ observed }: Context): MongoReport | null {
  return fresh(observed.readings.mongo, observed.now, VALID_MS);
}

/** Whether there is a primary and every member of the configuration takes part. */
export function isWhole(report: MongoReport | null): boolean {
  if (!report?.config || report.primary === null) return false;
  return report.config.members.every(({ host }) => takesPart(report, host));
}

/** Whether a member of the configuration is healthy, as a primary or a secondary. */
export function takesPart({ members }: MongoReport, host: string): boolean {
  return members.some((member) => member.host === host && member.healthy && TAKES_PART.has(member.state));
}

/** How many members the StatefulSet must have: one that is still in the configuration keeps its pod. */
export function mongoReplicas(context: Context): number {
  const wanted = context.cluster.spec.mongodb.managed!.replicas;
  const live: Workload | null = liveChild(context, 'StatefulSet', childName(context.cluster, 'mongodb'));
  const now = live?.spec?.replicas ?? wanted;
  if (now <= wanted) return wanted;
  const report = mongoReport(context);
  if (!report?.config) return now;
  return Math.max(wanted, ...report.config.members.map(({ id }) => id + 1));
}

/**
 * The next configuration, one member away from this one; null when it is as it should be. Majorities of two configurations
 * that differ by one voter always overlap. Source: MongoDB manual, `replSetReconfig`.
 */
export function nextMembers(
  config: readonly MongoMember[],
  wanted: readonly MongoMember[],
): { readonly members: readonly MongoMember[]; readonly why: string } | null {
  const known = new Set(config.map(({ host }) => host));
  const newcomer = wanted.find(({ host }) => !known.has(host));
  if (newcomer) return { members: [...config, newcomer], why: `${newcomer.host} is not in the replica set` };
  const hosts = new Set(wanted.map(({ host }) => host));
  const leaver = config.filter(({ host }) => !hosts.has(host)).at(-1);
  if (!leaver) return null;
  return {
    members: config.filter(({ host }) => host !== leaver.host),
    why: `${leaver.host} is to leave the replica set`,
  };
}

function initiation(context: Context): Action[] {
  const members = mongoMembers(context);
  const running = podsOf(context.observed, 'mongodb').filter(({ status }) => status?.phase === 'Running');
  if (running.length < members.length) return [];
  const address = mongoAddress(context);
  return [
    { kind: 'initiateMongo', address, members, why: 'all members run, and the set has no configuration' },
  ];
}

function reconfiguration(context: Context, report: MongoReport): Action[] {
  const { config } = report;
  // A member that comes or goes while another is ill could cost the majority.
  if (!config || !isWhole(report)) return [];
  const next = nextMembers(config.members, mongoMembers(context));
  if (!next) return [];
  const address = mongoAddress(context);
  const { members, why } = next;
  return [{ kind: 'reconfigureMongo', address, fromVersion: config.version, members, why }];
}

function userActions(context: Context, report: MongoReport): Action[] {
  if (report.primary === null) return [];
  const users = mongoUsers(context);
  const known = new Set(report.users ?? []);
  const missing = users.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (missing.length === 0) return [];
  const why = report.users === null ? 'users could not be read' : `users are missing: ${missing.join(', ')}`;
  return [{ kind: 'ensureMongoUsers', address: mongoAddress(context), users, why }];
}

/** What the managed replica set needs next: a configuration, users, a member more or less. */
export function mongoSteps(context: Context): Action[] {
  const { managed } = context.cluster.spec.mongodb;
  const report = mongoReport(context);
  if (!managed || report === null) return [];
  if (secretNamed(context, mongoAddress(context).keyfile.name) === null) return [];
  if (report.config === null) return initiation(context);
  return [...userActions(context, report), ...reconfiguration(context, report)];
}
