import type { Action, MongoUser } from './action.ts';
import { ownApplied, ownSecret, type Context } from './desired/context.ts';
import { mongoAddress, mongoMembers, mongoUsers } from './desired/mongodb.ts';
import { ordinalOf } from './desired/names.ts';
import { activeUser, usersOf } from './desired/users.ts';
import { claimsWithData, knownSets, mongoReport, takesPart } from './mongo-set.ts';
import type { MongoMember, MongoReport } from './observed.ts';
import { podsOf } from './pods.ts';
import { isAllRolledOut, rotateMongoUsers } from './rotation.ts';

/** A change of the configuration by one member. */
export interface NextMembers {
  readonly members: readonly MongoMember[];
  /** The member that goes; null: one comes. */
  readonly leaver: string | null;
  readonly why: string;
}

/**
 * The next configuration, one member away from this one; null when it is as it should be. Majorities of two configurations
 * that differ by one voter always overlap. A member that is ill goes before others. Source: MongoDB manual, `replSetReconfig`.
 */
export function nextMembers(
  config: readonly MongoMember[],
  wanted: readonly MongoMember[],
  isWell: (host: string) => boolean = () => true,
): NextMembers | null {
  const known = new Set(config.map(({ host }) => host));
  const newcomer = wanted.find(({ host }) => !known.has(host));
  if (newcomer) {
    const taken = new Set(config.map(({ id }) => id));
    const id = taken.has(newcomer.id) ? Math.max(...taken) + 1 : newcomer.id;
    const why = `${newcomer.host} is not in the replica set`;
    return { members: [...config, { ...newcomer, id }], leaver: null, why };
  }
  const hosts = new Set(wanted.map(({ host }) => host));
  const leavers = config.filter(({ host }) => !hosts.has(host));
  const leaver = leavers.findLast(({ host }) => !isWell(host)) ?? leavers.at(-1);
  if (!leaver) return null;
  return {
    members: config.filter(({ host }) => host !== leaver.host),
    leaver: leaver.host,
    why: `${leaver.host} is to leave the replica set`,
  };
}

/**
 * A replica set is made only where there is none: no set is known, and every claim of every ordinal belongs to a member
 * that answers, and says that it has no data.
 */
function initiation(context: Context): Action[] {
  const { cluster, observed } = context;
  const members = mongoMembers(context);
  const running = podsOf(observed, 'mongodb').filter(({ status }) => status?.phase === 'Running');
  const ordinals = new Set(running.map(({ metadata }) => ordinalOf(metadata.name)));
  if (!members.every(({ host }) => ordinals.has(ordinalOf(host)))) return [];
  const identities = mongoReport(context)?.identities ?? [];
  if (identities.some(({ setId }) => setId !== null)) return [];
  if (knownSets(cluster, observed.children).length > 0 || claimsWithData(context).length > 0) return [];
  const why = 'all members run, and none of them has any data';
  return [{ kind: 'initiateMongo', address: mongoAddress(context), members, why }];
}

/** Members that may be in the configuration: those that should be, of which none has data of another set. */
function admissible(context: Context, { config, identities }: MongoReport): MongoMember[] {
  const known = new Set(config?.members.map(({ host }) => host));
  const may = new Set(
    identities.filter(({ setId }) => setId === null || setId === config?.setId).map(({ host }) => host),
  );
  return mongoMembers(context).filter(({ host }) => known.has(host) || may.has(host));
}

/** The primary is to leave: it hands over to one that stays before anybody is removed. */
function stepDown(context: Context, report: MongoReport): Action[] {
  const stays = new Set(mongoMembers(context).map(({ host }) => host));
  const { primary, config } = report;
  if (!config || primary === null || stays.has(primary)) return [];
  const freeze = config.members
    .map(({ host }) => host)
    .filter((host) => host !== primary && !stays.has(host) && takesPart(report, host));
  const why = `${primary} is to leave the replica set, and is its primary`;
  return [{ kind: 'stepDownMongo', address: mongoAddress(context), from: primary, freeze, why }];
}

function reconfiguration(context: Context, report: MongoReport): Action[] {
  const { config } = report;
  if (!config || report.primary === null) return [];
  const isWell = (host: string): boolean => takesPart(report, host);
  const next = nextMembers(config.members, admissible(context, report), isWell);
  if (!next) return [];
  // A member that comes or goes while another is ill could cost the majority.
  if (!config.members.every(({ host }) => host === next.leaver || isWell(host))) return [];
  const handover = next.leaver === null ? [] : stepDown(context, report);
  if (handover.length > 0) return handover;
  const { members, why } = next;
  const address = mongoAddress(context);
  return [{ kind: 'reconfigureMongo', address, fromVersion: config.version, members, why }];
}

/** Users that a role had before its password changed, once no pod uses them any more. */
function retiredUsers(context: Context, report: MongoReport): Action[] {
  const names = (['endpoint', 'worker'] as const).flatMap((role) => {
    const active = activeUser(context, 'mongodb', role);
    const old = usersOf(role).filter((user) => user !== active && report.users?.includes(user));
    return old.length > 0 && isAllRolledOut(context, role) ? old : [];
  });
  if (names.length === 0) return [];
  const why = `their passwords were replaced, and no pod uses them any more: ${names.join(', ')}`;
  return [{ kind: 'dropMongoUsers', address: mongoAddress(context), names, why }];
}

function userActions(context: Context, report: MongoReport): Action[] {
  if (report.primary === null) return [];
  const users = mongoUsers(context);
  const known = new Set(report.users ?? []);
  const lacks = ({ name, roles }: MongoUser): boolean => {
    const granted = report.grants?.[name];
    return granted !== undefined && roles.some(({ role }) => !granted.includes(role));
  };
  const missing = users.filter((user) => !known.has(user.name) || lacks(user)).map(({ name }) => name);
  // Passwords are taken from what is applied.
  if (ownApplied(context, 'mongodb') === null) return [];
  if (missing.length === 0) return [...rotateMongoUsers(context, report), ...retiredUsers(context, report)];
  const why =
    report.users === null
      ? 'users could not be read'
      : `users or their roles are missing: ${missing.join(', ')}`;
  return [{ kind: 'ensureMongoUsers', address: mongoAddress(context), users, why }];
}

/** Primaries of other sets must not be taken for ours. */
function fences(context: Context, { identities }: MongoReport): Action[] {
  const address = mongoAddress(context);
  if (address.setId === null) return [];
  return identities
    .filter(({ setId, isPrimary }) => isPrimary && setId !== null && setId !== address.setId)
    .map(({ host, setId }) => ({
      ...{ kind: 'fenceMongo', address, host },
      why: `${host} has data of replica set ${setId!}, not of ${address.setId!}`,
    }));
}

/** What the managed replica set needs next: a configuration, users, a member more or less. */
export function mongoSteps(context: Context): Action[] {
  const { managed } = context.cluster.spec.mongodb;
  const report = mongoReport(context);
  if (!managed || report === null) return [];
  if (ownSecret(context, 'mongodb') === null) return [];
  if (report.config === null) return [...fences(context, report), ...initiation(context)];
  return [...fences(context, report), ...userActions(context, report), ...reconfiguration(context, report)];
}
