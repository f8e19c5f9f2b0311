import type { Action, ActionOf, CopiedKey, MongoUser } from './action.ts';
import {
  foreignCredentials,
  labelsOf,
  ownApplied,
  ownSecret,
  type Context,
  liveChild,
} from './desired/context.ts';
import { activeUser, isRole, mongoAddress, mongoUsers, usersOf } from './desired/mongodb.ts';
import {
  appliedName,
  credentialsName,
  MONGO_USERS,
  passwordKey,
  userAnnotation,
  childName,
} from './desired/names.ts';
import { generatedKeys, missingHashKey, missingSecrets } from './desired/secrets.ts';
import type { MongoReport, Role, SecretFacts } from './observed.ts';
import { claimsOf } from './volumes.ts';

type Server = 'mongodb' | 'kafka';
const SERVERS = ['mongodb', 'kafka'] as const;
const ROLES = ['endpoint', 'worker'] as const;

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
    const role = MONGO_USERS.find((user) => passwordKey(user) === to);
    const from = server === 'mongodb' && role ? passwordKey(activeUser(context, role)) : to;
    return { from, to };
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

/** The user of MongoDB that pods of a role are started with; the first one where there are none. */
function liveUser(context: Context, role: Role): string {
  const live = liveChild(context, 'Deployment', childName(context.cluster, role)) as Authenticated | null;
  const { env = [] } = live?.spec.template?.spec.containers[0] ?? {};
  const uri = env.find(({ name }) => name === 'MONGODB_URI')?.value ?? '';
  const [, user = role] = /^mongodb:\/\/([\w-]+):/.exec(uri) ?? [];
  return usersOf(role).includes(user) ? user : role;
}

/** What is applied, as far as the credentials and running pods tell: made with the cluster, or after the copy was lost. */
function firstCopy(context: Context, server: Server, name: string) {
  const users = ROLES.map((role) => ({ role, user: liveUser(context, role) })).filter(
    ({ role, user }) => server === 'mongodb' && user !== role,
  );
  const keys = generatedKeys(server).map(({ name: from }): CopiedKey => {
    const other = users.find(({ role }) => passwordKey(role) === from);
    return { from, to: other ? passwordKey(other.user) : from };
  });
  const annotations = Object.fromEntries(users.map(({ role, user }) => [userAnnotation(role), user]));
  const made = target(context, server, name);
  const object = users.length > 0 ? { ...made, metadata: { ...made.metadata, annotations } } : made;
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
function changedKeys(context: Context, server: Server): CopiedKey[] {
  const { wanted, applied } = pairOf(context, server);
  if (wanted === null || applied === null) return [];
  return restoredKeys(context, server).filter(({ from, to }) => wanted.digests[to] !== applied.digests[from]);
}

function isRotatable(context: Context, server: Server, { to }: CopiedKey): boolean {
  const has = ownSecret(context, server)?.keys.includes(to) === true;
  return server === 'mongodb' && has && MONGO_USERS.some((user) => passwordKey(user) === to);
}

/** What cannot be changed gets its value back: a keyfile, a cluster id, what Kafka was formatted with, a missing key. */
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

/** A user of MongoDB whose password in the Secret is not the one that it has. */
interface Rotation {
  readonly user: (typeof MONGO_USERS)[number];
  readonly active: string;
  /** Who is to have the new password. */
  readonly next: string;
}

function rotationsOf(context: Context): Rotation[] {
  if (!context.cluster.spec.mongodb.managed) return [];
  const changed = changedKeys(context, 'mongodb').filter((key) => isRotatable(context, 'mongodb', key));
  return MONGO_USERS.filter((user) => changed.some(({ to }) => to === passwordKey(user))).map((user) => {
    const active = activeUser(context, user);
    const next = !isRole(user) ? user : active === user ? `${user}-2` : user;
    return { user, active, next };
  });
}

/** Keys of the Secret whose passwords are refused: they stand in an address, where other characters would need an escape. */
export function invalidPasswords(context: Context): string[] {
  const invalid = ownSecret(context, 'mongodb')?.invalid ?? [];
  return rotationsOf(context)
    .map(({ user }) => passwordKey(user))
    .filter((key) => invalid.includes(key));
}

/** Users whose passwords are being changed, for people. */
export function rotating(context: Context): string[] {
  const invalid = invalidPasswords(context);
  return rotationsOf(context)
    .map(({ user }) => user)
    .filter((user) => !invalid.includes(passwordKey(user)));
}

/**
 * Brings passwords that were changed in the Secret into MongoDB. Endpoints and workers have two users in turn: the other one
 * gets the new password, pods are rolled out with it, and only then the one before is dropped. So both work meanwhile.
 */
export function rotateUsers(context: Context, report: MongoReport): Action[] {
  const due = rotating(context);
  const known = new Set(report.users ?? []);
  const ready = rotationsOf(context)
    .filter(({ user }) => due.includes(user))
    // The rotation before has not come to its end: pods may still use that user.
    .filter(({ active, next }) => next === active || !known.has(next));
  const applied = ownApplied(context, 'mongodb');
  if (ready.length === 0 || applied === null || report.primary === null) return [];
  const name = credentialsName(context.cluster, 'mongodb');
  const users = ready.map(({ user, next }): MongoUser => {
    const { roles } = mongoUsers(context).find((candidate) => candidate.name === activeUser(context, user))!;
    return { name: next, roles, secret: { name, key: passwordKey(user) } };
  });
  const { namespace } = context.cluster.metadata;
  const annotations = ready
    .filter(({ user }) => isRole(user))
    .map(({ user, next }) => [userAnnotation(user), next]);
  return [
    {
      kind: 'rotateMongoUsers',
      address: mongoAddress(context),
      users,
      applied: {
        ref: { apiVersion: 'v1', kind: 'Secret', namespace, name: applied.name, uid: applied.uid },
        from: name,
        keys: ready.map(({ user, next }) => ({ from: passwordKey(user), to: passwordKey(next) })),
        annotations: Object.fromEntries(annotations) as Record<string, string>,
      },
      why: `passwords were changed in Secret ${name}: ${ready.map(({ user }) => user).join(', ')}`,
    },
  ];
}
