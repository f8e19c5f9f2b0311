import type { ActionOf, GeneratedKey } from '../action.ts';
import { labelsOf, ownSecret, type Context } from './context.ts';
import { credentialsName, KAFKA_USERS, MONGO_USERS } from './names.ts';

/** Long enough that nobody guesses it, of letters that need no escape anywhere. */
function password(user: string): GeneratedKey {
  return { name: `${user}-password`, bytes: 24, form: 'base64url' };
}

function keysOf(server: 'mongodb' | 'kafka'): GeneratedKey[] {
  // A keyfile has 6 to 1024 characters of base64. Source: MongoDB manual, "keyfile".
  return server === 'mongodb'
    ? [{ name: 'keyfile', bytes: 378, form: 'base64' }, ...MONGO_USERS.map(password)]
    : [{ name: 'cluster-id', bytes: 16, form: 'uuid' }, ...KAFKA_USERS.map(password)];
}

/**
 * Credentials of managed servers that do not exist yet. They have no owner: data that outlives its cluster is worth
 * nothing without them, and a cluster of the same name finds both again.
 */
export function missingSecrets(context: Context): ActionOf<'createSecret'>[] {
  const { cluster } = context;
  return (
    (['mongodb', 'kafka'] as const)
      .filter((server) => cluster.spec[server].managed)
      .map((server) => ({ server, name: credentialsName(cluster, server) }))
      // One of somebody else is refused by the writer, and stays as it is.
      .filter(({ server }) => ownSecret(context, server) === null)
      .map(({ server, name }) => ({
        kind: 'createSecret',
        object: {
          ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
          metadata: { name, namespace: cluster.metadata.namespace, labels: labelsOf(cluster, server) },
        },
        keys: keysOf(server),
        why: `there are no credentials for ${server} yet`,
      }))
  );
}
