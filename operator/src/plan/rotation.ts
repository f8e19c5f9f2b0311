import type { Action, ActionOf, KafkaAddress, MongoUser, SecretPatch } from './action.ts';
import { applying } from './applying.ts';
import { changedKeys, isRotatable, ROLES, ROTATED_USERS, SERVERS } from './credentials.ts';
import { liveChild, ownApplied, ownSecret, type Context } from './desired/context.ts';
import { roleDeployment } from './desired/deployments.ts';
import { mongoAddress, mongoUsers } from './desired/mongodb.ts';
import {
  appliedName,
  credentialsName,
  formerUserAnnotation,
  memberHosts,
  passwordKey,
  PORTS,
  userAnnotation,
} from './desired/names.ts';
import type { Server } from './desired/server-set.ts';
import { activeUser, formerUser, isRole, nextUser } from './desired/users.ts';
import type { MongoReport, Role } from './observed.ts';
import { componentOf, isLeaving, podsOf } from './pods.ts';
import { isRolledOut, type Workload } from './rollout.ts';

const TITLES = { mongodb: 'MongoDB', kafka: 'Kafka' } as const;

/** A user whose password in the Secret is not the one that it has. */
interface Rotation {
  readonly user: string;
  readonly active: string;
  /** Who is to have the new password. */
  readonly next: string;
}

function rotationsOf(context: Context, server: Server): Rotation[] {
  if (!context.cluster.spec[server].managed) return [];
  const changed = changedKeys(context, server).filter((key) => isRotatable(context, server, key));
  return ROTATED_USERS[server]
    .filter((user) => changed.some(({ to }) => to === passwordKey(user)))
    .map((user) => {
      const active = activeUser(context, server, user);
      return { user, active, next: nextUser(user, active) };
    });
}

/** Keys of the Secret whose passwords are refused: they stand where other characters would need an escape. */
export function invalidPasswords(context: Context, server: Server): string[] {
  const invalid = ownSecret(context, server)?.invalid ?? [];
  return rotationsOf(context, server)
    .map(({ user }) => passwordKey(user))
    .filter((key) => invalid.includes(key));
}

function validRotations(context: Context, server: Server): Rotation[] {
  const invalid = invalidPasswords(context, server);
  return rotationsOf(context, server).filter(({ user }) => !invalid.includes(passwordKey(user)));
}

/** Users whose passwords are being changed, for people: `MongoDB user worker`. */
export function rotating(context: Context): string[] {
  return SERVERS.flatMap((server) =>
    validRotations(context, server).map(({ user }) => `${TITLES[server]} user ${user}`),
  );
}

/** What is noted in the applied Secret once these users have their new passwords. */
function noted(
  context: Context,
  server: Server,
  { rotations, uid }: { readonly rotations: readonly Rotation[]; readonly uid: string },
): SecretPatch {
  const { namespace } = context.cluster.metadata;
  const name = appliedName(context.cluster, server);
  const annotations = rotations
    .filter(({ user }) => isRole(user))
    .flatMap(({ user, active, next }) => [
      [userAnnotation(user), next],
      ...(server === 'kafka' ? [[formerUserAnnotation(user), active]] : []),
    ]);
  return {
    ref: { apiVersion: 'v1', kind: 'Secret', namespace, name, uid },
    from: credentialsName(context.cluster, server),
    keys: rotations.map(({ user, next }) => ({ from: passwordKey(user), to: passwordKey(next) })),
    annotations: Object.fromEntries(annotations) as Record<string, string>,
  };
}

function whyOf(context: Context, server: Server, rotations: readonly Rotation[]): string {
  const name = credentialsName(context.cluster, server);
  return `passwords were changed in Secret ${name}: ${rotations.map(({ user }) => user).join(', ')}`;
}

/**
 * Brings passwords that were changed in the Secret into MongoDB. Endpoints and workers have two users in turn: the other one
 * gets the new password, pods are rolled out with it, and only then the one before is dropped. So both work meanwhile.
 */
export function rotateMongoUsers(context: Context, report: MongoReport): ActionOf<'rotateMongoUsers'>[] {
  const known = new Set(report.users ?? []);
  const rotations = validRotations(context, 'mongodb')
    // The rotation before has not come to its end: pods may still use that user.
    .filter(({ active, next }) => next === active || !known.has(next));
  const applied = ownApplied(context, 'mongodb');
  if (rotations.length === 0 || applied === null || report.primary === null) return [];
  const name = credentialsName(context.cluster, 'mongodb');
  const users = rotations.map(({ user, active, next }): MongoUser => {
    const { roles } = mongoUsers(context).find((candidate) => candidate.name === active)!;
    return { name: next, roles, secret: { name, key: passwordKey(user) } };
  });
  return [
    {
      kind: 'rotateMongoUsers',
      ...{ address: mongoAddress(context), users },
      applied: noted(context, 'mongodb', { rotations, uid: applied.uid }),
      why: whyOf(context, 'mongodb', rotations),
    },
  ];
}

/** Whether every pod of a role, those that are leaving included, has been started with what is desired now. */
export function isAllRolledOut(context: Context, role: Role): boolean {
  const desired = roleDeployment(context, role);
  const live: Workload | null = liveChild(context, 'Deployment', desired.metadata.name);
  const isOut = live !== null && isRolledOut(live) && applying(desired, live) === null;
  return isOut && !context.observed.pods.some((pod) => componentOf(pod) === role && isLeaving(pod));
}

/** The operator comes as the brokers come to each other: no authorizer asks what a user may do. */
function kafkaAddress({ cluster, observed }: Context): KafkaAddress {
  const { replicas } = cluster.spec.kafka.managed!;
  const domain = observed.defaults.clusterDomain;
  return {
    hosts: memberHosts(cluster, 'kafka', { replicas, port: PORTS.kafka, domain }),
    user: 'broker',
    secret: { name: appliedName(cluster, 'kafka'), key: passwordKey('broker') },
  };
}

function rotateKafkaUsers(context: Context, uid: string): Action[] {
  const rotations = validRotations(context, 'kafka')
    // The rotation before has not come to its end: pods may still use that user.
    .filter(({ user }) => isRole(user) && formerUser(context, user) === null);
  if (rotations.length === 0) return [];
  const name = credentialsName(context.cluster, 'kafka');
  return [
    {
      kind: 'rotateKafkaUsers',
      address: kafkaAddress(context),
      users: rotations.map(({ user, next }) => ({ name: next, secret: { name, key: passwordKey(user) } })),
      applied: noted(context, 'kafka', { rotations, uid }),
      why: whyOf(context, 'kafka', rotations),
    },
  ];
}

function dropKafkaUsers(context: Context, uid: string): Action[] {
  const former = ROLES.map((role) => ({ role, name: formerUser(context, role) })).filter(
    (entry): entry is { role: Role; name: string } =>
      entry.name !== null && isAllRolledOut(context, entry.role),
  );
  if (former.length === 0) return [];
  const { namespace } = context.cluster.metadata;
  const names = former.map(({ name }) => name);
  return [
    {
      kind: 'dropKafkaUsers',
      ...{ address: kafkaAddress(context), names },
      applied: {
        ref: {
          apiVersion: 'v1',
          kind: 'Secret',
          namespace,
          name: appliedName(context.cluster, 'kafka'),
          uid,
        },
        annotations: Object.fromEntries(former.map(({ role }) => [formerUserAnnotation(role), null])),
      },
      why: `their passwords were replaced, and no pod uses them any more: ${names.join(', ')}`,
    },
  ];
}

/**
 * Brings passwords that were changed in the Secret into Kafka, as {@link rotateMongoUsers} does. Which user is to be dropped
 * is noted in the applied Secret.
 */
export function kafkaSteps(context: Context): Action[] {
  const applied = ownApplied(context, 'kafka');
  if (!context.cluster.spec.kafka.managed || applied === null || ownSecret(context, 'kafka') === null)
    return [];
  // Before there are brokers nobody could be asked; they are formatted with what the Secret says then.
  if (!podsOf(context.observed, 'kafka').some(({ status }) => status?.phase === 'Running')) return [];
  return [...rotateKafkaUsers(context, applied.uid), ...dropKafkaUsers(context, applied.uid)];
}
