import type { Action, ActionOf, CopiedKey } from './action.ts';
import {
  foreignCredentials,
  labelsOf,
  ownApplied,
  ownSecret,
  type Context,
  liveChild,
} from './desired/context.ts';
import {
  appliedName,
  credentialsName,
  formerUserAnnotation,
  MONGO_USERS,
  passwordKey,
  userAnnotation,
  childName,
} from './desired/names.ts';
import { generatedKeys, missingHashKey, missingSecrets } from './desired/secrets.ts';
import type { Server } from './desired/server-set.ts';
import { activeUser, nextUser, usersOf } from './desired/users.ts';
import type { Role, SecretFacts } from './observed.ts';
import { claimsOf } from './volumes.ts';

/** Those that the operator may manage. */
export const SERVERS = ['mongodb', 'kafka'] as const;
/** Those whose pods log in to them. */
export const ROLES = ['endpoint', 'worker'] as const;

/**
 * Users whose passwords may be changed in the Secret. Brokers and controllers know each other by theirs, each from when it
 * was started: there is no order of restarts in which all of them would know both.
 */
export const ROTATED_USERS: Readonly<Record<Server, readonly string[]>> = {
  mongodb: MONGO_USERS,
  kafka: ROLES,
};

/** Both Secrets of a managed server; null: it does not exist, or is not ours. */
interface Pair {
  /** What people see, and may change. */
  readonly wanted: SecretFacts | null;
  /** What the server was last given. */
  readonly applied: SecretFacts | null;
}

function pairOf(context: Context, server: Server): Pair {
  return { wanted: ownSecret(context, server), applied: ownApplied(context, server) };
}

function managed({ cluster }: Context): Server[] {
  return SERVERS.filter((server) => cluster.spec[server].managed !== undefined);
}

/** Managed servers whose credentials are gone although volumes hold data: whatever was generated now would not open it. */
export function lostCredentials(context: Context): Server[] {
  return managed(context).filter((server) => {
    const { wanted, applied } = pairOf(context, server);
    return wanted === null && applied === null && claimsOf(context, server).length > 0;
  });
}

/** What holds where nothing was changed: each key of the credentials, and where its value is among what was applied. */
function restoredKeys(context: Context, server: Server): CopiedKey[] {
  return generatedKeys(server).map(({ name: to }) => {
    const user = ROTATED_USERS[server].find((rotated) => passwordKey(rotated) === to);
    return { from: user === undefined ? to : passwordKey(activeUser(context, server, user)), to };
  });
}

function target(context: Context, server: Server, name: string) {
  const metadata = {
    name,
    namespace: context.cluster.metadata.namespace,
    labels: labelsOf(context.cluster, server),
  };
  return { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata };
}

interface Authenticated {
  readonly spec: {
    readonly template?: {
      readonly spec: {
        readonly containers: readonly [
          { readonly env?: readonly { readonly name: string; readonly value?: string }[] },
        ];
      };
    };
  };
}

function envOf(context: Context, role: Role): Readonly<Record<string, string | undefined>> {
  const live = liveChild(context, 'Deployment', childName(context.cluster, role)) as Authenticated | null;
  const { env = [] } = live?.spec.template?.spec.containers[0] ?? {};
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

/** The user of a server that pods of a role are started with; the first one where there are none. */
function liveUser(context: Context, server: Server, role: Role): string {
  const { MONGODB_URI = '', KAFKA_USERNAME } = envOf(context, role);
  const user = server === 'kafka' ? KAFKA_USERNAME : /^mongodb:\/\/([\w-]+):/.exec(MONGODB_URI)?.[1];
  return user !== undefined && usersOf(role).includes(user) ? user : role;
}

/** Kafka is not asked for its users: the other one of a role is dropped, where there are pods that may have had it. */
function formerUsers(context: Context): [string, string][] {
  return ROLES.filter((role) => liveChild(context, 'Deployment', childName(context.cluster, role))).map(
    (role) => [formerUserAnnotation(role), nextUser(role, liveUser(context, 'kafka', role))],
  );
}

/** What is applied, as far as the credentials and running pods tell: made with the cluster, or after the copy was lost. */
function firstCopy(context: Context, server: Server, name: string) {
  const users = ROLES.map((role) => ({ role, user: liveUser(context, server, role) })).filter(
    ({ role, user }) => user !== role,
  );
  const keys = generatedKeys(server).map(({ name: from }): CopiedKey => {
    const other = users.find(({ role }) => passwordKey(role) === from);
    return { from, to: other ? passwordKey(other.user) : from };
  });
  const annotations = Object.fromEntries([
    ...users.map(({ role, user }) => [userAnnotation(role), user]),
    ...(server === 'kafka' ? formerUsers(context) : []),
  ]) as Record<string, string>;
  const made = target(context, server, name);
  const isNoted = Object.keys(annotations).length > 0;
  const object = isNoted ? { ...made, metadata: { ...made.metadata, annotations } } : made;
  return { object, keys };
}

/** Copies of both Secrets, where one is missing. */
function copies(context: Context, server: Server): Action[] {
  const [name, applied] = [credentialsName(context.cluster, server), appliedName(context.cluster, server)];
  const pair = pairOf(context, server);
  if (pair.applied === null) {
    if (pair.wanted === null && lostCredentials(context).includes(server)) return [];
    const why = 'credentials are kept as they were applied';
    return [{ kind: 'copySecret', ...firstCopy(context, server, applied), from: name, why }];
  }
  if (pair.wanted !== null) return [];
  const why = 'it was deleted, and is restored from what was applied';
  const keys = restoredKeys(context, server);
  return [
    { kind: 'copySecret', object: target(context, server, name), from: applied, keys, why },
    event('SecretRestored', `Secret ${name} was deleted: restored from ${applied}`),
  ];
}

function event(reason: string, message: string): ActionOf<'event'> {
  return { kind: 'event', type: 'Warning', reason, message };
}

/** Keys of the credentials that are not what was applied. */
export function changedKeys(context: Context, server: Server): CopiedKey[] {
  const { wanted, applied } = pairOf(context, server);
  if (wanted === null || applied === null) return [];
  return restoredKeys(context, server).filter(({ from, to }) => wanted.digests[to] !== applied.digests[from]);
}

/** Whether a changed key is the password of a user that can have another one. */
export function isRotatable(context: Context, server: Server, { to }: CopiedKey): boolean {
  const has = ownSecret(context, server)?.keys.includes(to) === true;
  return has && ROTATED_USERS[server].some((user) => passwordKey(user) === to);
}

/** What cannot be changed gets its value back: a keyfile, a cluster id, passwords among brokers, a missing key. */
function restores(context: Context, server: Server): Action[] {
  const keys = changedKeys(context, server).filter((key) => !isRotatable(context, server, key));
  const facts = ownSecret(context, server);
  if (keys.length === 0 || facts === null) return [];
  const { namespace } = context.cluster.metadata;
  const { name, uid } = facts;
  const says = `Secret ${name}: ${keys.map(({ to }) => to).join(', ')} cannot be changed there`;
  return [
    {
      kind: 'patchSecret',
      ref: { apiVersion: 'v1', kind: 'Secret', namespace, name, uid },
      ...{ from: appliedName(context.cluster, server), keys, why: says },
    },
    event('SecretRestored', `${says}: restored from ${appliedName(context.cluster, server)}`),
  ];
}

/**
 * Secrets of managed servers: made once, kept a second time as they were applied, and restored when they are deleted or when
 * something is changed that cannot be. Nothing is generated where volumes hold data.
 */
export function planSecrets(context: Context): Action[] {
  const foreign = foreignCredentials(context);
  return [
    ...missingHashKey(context),
    ...missingSecrets(context, lostCredentials(context)),
    ...managed(context)
      .filter((server) => !foreign.includes(server))
      .flatMap((server) => [...copies(context, server), ...restores(context, server)]),
  ];
}
