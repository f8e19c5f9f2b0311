import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { audit, underLoad } from '../lib/load.ts';
import { installOperator } from '../lib/operator.ts';
import { runsOf } from '../lib/settings.ts';

const cluster = new TestCluster('rotate');
const CREDENTIALS = `${cluster.name}-mongodb-credentials`;
const APPLIED = `${CREDENTIALS}-applied`;
const KAFKA_CREDENTIALS = `${cluster.name}-kafka-credentials`;
const KAFKA_APPLIED = `${KAFKA_CREDENTIALS}-applied`;
const RUNS = runsOf();

beforeAll(async () => {
  await installOperator();
  await cluster.apply(smallSpec(cluster.host));
  await cluster.ready();
}, 600_000);
afterAll(() => cluster.remove(), 500_000);

/** Values of a Secret in base64; null: there is none. */
async function dataOf(name: string): Promise<Record<string, string> | null> {
  const text = await cluster.namespace.kubectl([
    ...['get', 'secret', name, '--ignore-not-found', '--output', 'jsonpath={.data}'],
  ]);
  return text === '' ? null : (JSON.parse(text) as Record<string, string>);
}

/** A Secret as a backup has it. */
async function backupOf(name: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await cluster.namespace.kubectl(['get', 'secret', name, '--output', 'json']);
  const { metadata, ...rest } = JSON.parse(text) as { readonly metadata: Readonly<Record<string, unknown>> };
  const { namespace, labels, annotations = {}, ownerReferences = [] } = metadata;
  return { ...rest, metadata: { name, namespace, labels, annotations, ownerReferences } };
}

async function annotationsOf(name: string): Promise<Readonly<Record<string, string>>> {
  const secret = await backupOf(name);
  return (secret['metadata'] as { readonly annotations: Readonly<Record<string, string>> }).annotations;
}

async function setPasswords(secret: string, password: string): Promise<void> {
  const stringData = { 'endpoint-password': password, 'worker-password': password };
  const patch = JSON.stringify({ stringData });
  await cluster.namespace.kubectl(['patch', 'secret', secret, '--type', 'merge', '--patch', patch]);
}

/** Changes both roles' passwords under load, and waits until every pod was replaced by one that has them. */
async function rotateUnderLoad(secret: string, password: string): Promise<void> {
  const roles = async (): Promise<readonly string[]> => [
    ...(await cluster.pods('endpoint')),
    ...(await cluster.pods('worker')),
  ];
  const before = await roles();
  const tally = await underLoad(cluster.host, 50, async (load) => {
    await cluster.until('under load', () => Promise.resolve(load.acknowledged >= 100), 60);
    await setPasswords(secret, password);
    const isReplaced = async (): Promise<boolean> => {
      const now = await roles();
      return now.length > 0 && !now.some((name) => before.includes(name));
    };
    await cluster.until('rolled out with new passwords', isReplaced, 300);
    await cluster.ready();
  });
  const wrong = await audit(cluster.host, tally, { samples: 30, limitMs: 120_000 });
  expect([wrong, tally.failures]).toEqual([[], []]);
}

describe('credentials of a managed Kafka', () => {
  test.each(RUNS)(
    'are rotated under load by a change of the Secret, and no request fails (run %d)',
    async (run) => {
      const password = `rotated-for-run-${run}`;
      await rotateUnderLoad(KAFKA_CREDENTIALS, password);
      // The users before are dropped once no pod has them.
      const isDropped = async (): Promise<boolean> =>
        !Object.keys(await annotationsOf(KAFKA_APPLIED)).some((name) => name.endsWith('-former-user'));
      await cluster.until('without the users before', isDropped, 120);
      const annotations = await annotationsOf(KAFKA_APPLIED);
      const applied = await dataOf(KAFKA_APPLIED);
      const inForce = ['endpoint', 'worker'].map((role) => {
        const user = annotations[`hashcluster.io/${role}-user`];
        return Buffer.from(applied?.[`${user}-password`] ?? '', 'base64').toString();
      });
      expect(inForce).toEqual([password, password]);
    },
    600_000,
  );
});

describe('credentials of a managed MongoDB', () => {
  test.each(RUNS)(
    'are rotated under load by a change of the Secret, and no request fails (run %d)',
    (run) => rotateUnderLoad(CREDENTIALS, `rotated-for-run-${run}`),
    600_000,
  );

  test('are restored within a minute when the Secret is deleted', async () => {
    const before = await dataOf(CREDENTIALS);
    await cluster.namespace.kubectl(['delete', 'secret', CREDENTIALS]);
    await cluster.until('given its Secret back', async () => (await dataOf(CREDENTIALS)) !== null, 60);
    expect(await dataOf(CREDENTIALS)).toEqual(before);
    await cluster.ready();
  }, 400_000);

  test('are not invented where volumes hold data: the status asks for a backup, which heals', async () => {
    const backups = [await backupOf(CREDENTIALS), await backupOf(APPLIED)];
    const isTold = async (): Promise<boolean> =>
      (await cluster.conditions()).some(
        ({ type, status, reason }) => type === 'Degraded' && status === 'True' && reason === 'SecretMissing',
      );
    // kubectl deletes one after the other, and the operator restores the first from the second if it is quick.
    const isMissed = async (): Promise<boolean> => {
      await cluster.namespace.kubectl(['delete', 'secret', CREDENTIALS, APPLIED, '--ignore-not-found']);
      return isTold();
    };
    await cluster.until('missing its Secret, by its status', isMissed, 60);
    expect(await dataOf(CREDENTIALS)).toBeNull();
    for (const backup of backups) await cluster.namespace.apply(backup);
    await cluster.until('well again', async () => !(await isTold()), 90);
    await cluster.ready();
  }, 400_000);
});
