import type { ActionOf, GeneratedKey } from '../action.ts';
import { childMeta, labelsOf, ownApplied, ownSecret, secretNamed, type Context } from './context.ts';
import { externalSecrets } from './deployments.ts';
import { credentialsName, HASH_KEY, hashKeyName, KAFKA_USERS, MONGO_USERS, passwordKey } from './names.ts';

/** Long enough that nobody guesses it, of letters that need no escape anywhere. */
function password(user: string): GeneratedKey {
  return { name: passwordKey(user), bytes: 24, form: 'base64url' };
}

/** What is in a Secret of credentials that the operator makes. */
export function generatedKeys(server: 'mongodb' | 'kafka'): GeneratedKey[] {
  // A keyfile has 6 to 1024 characters of base64. Source: MongoDB manual, "keyfile".
  return server === 'mongodb'
    ? [{ name: 'keyfile', bytes: 378, form: 'base64' }, ...MONGO_USERS.map(password)]
    : [{ name: 'cluster-id', bytes: 16, form: 'uuid' }, ...KAFKA_USERS.map(password)];
}

/**
 * Credentials of managed servers that do not exist yet, neither as wanted nor as applied, and no data that they open. They have no owner: data that outlives its cluster is worth
 * nothing without them, and a cluster of the same name finds both again.
 */
export function missingSecrets(
  context: Context,
  lost: readonly ('mongodb' | 'kafka')[],
): ActionOf<'createSecret'>[] {
  const { cluster } = context;
  return (
    (['mongodb', 'kafka'] as const)
      .filter((server) => cluster.spec[server].managed && !lost.includes(server))
      .map((server) => ({ server, name: credentialsName(cluster, server) }))
      // One of somebody else is refused by the writer, and stays as it is.
      .filter(({ server }) => ownSecret(context, server) === null && ownApplied(context, server) === null)
      .map(({ server, name }) => ({
        kind: 'createSecret',
        object: {
          ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
          metadata: { name, namespace: cluster.metadata.namespace, labels: labelsOf(cluster, server) },
        },
        keys: generatedKeys(server),
        why: `there are no credentials for ${server} yet`,
      }))
  );
}

/** Whether the key by which Secrets of others are hashed exists. */
export function hasHashKey(context: Context): boolean {
  const { cluster } = context;
  return secretNamed(context, hashKeyName(cluster))?.owner === cluster.metadata.uid;
}

/** The key by which Secrets of others are hashed, where there are any and it does not exist yet. It goes with its HashCluster. */
export function missingHashKey(context: Context): ActionOf<'createSecret'>[] {
  const name = hashKeyName(context.cluster);
  if (externalSecrets(context).length === 0 || hasHashKey(context)) return [];
  return [
    {
      kind: 'createSecret',
      object: {
        ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
        metadata: childMeta(context, null, { name }),
      },
      keys: [{ name: HASH_KEY, bytes: 32, form: 'base64url' }],
      why: 'Secrets of others are hashed with it',
    },
  ];
}
