import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { replicaSetOf } from '../lib/mongo.ts';
import { installOperator } from '../lib/operator.ts';
import { follow } from '../lib/runbook.ts';

const cluster = new TestCluster('runbook');
/** An id that no replica set has. */
const OTHER_SET = 'f'.repeat(24);
const WITHIN_S = 240;

beforeAll(async () => {
  await installOperator();
  await cluster.apply(smallSpec(cluster.host));
  await cluster.ready();
}, 600_000);
afterAll(() => cluster.remove(), 500_000);

/** What the operator remembers is not what the members have, as after a restore of one without the other. */
async function remember(replicaSet: object): Promise<void> {
  const patch = JSON.stringify({ status: { replicaSet } });
  const args = ['patch', 'hashcluster', cluster.name, '--subresource=status', '--type=merge'];
  await cluster.namespace.kubectl([...args, `--patch=${patch}`]);
}

async function says(type: string, status: string, reason: string): Promise<void> {
  const isSaid = async (): Promise<boolean> =>
    (await cluster.conditions()).some(
      (each) => each.type === type && each.status === status && each.reason === reason,
    );
  await cluster.until(`saying ${type}=${status} ${reason}`, isSaid, WITHIN_S);
}

describe('pages of the runbook lead from a condition back to a HashCluster that is ready', () => {
  test('OlderData', async () => {
    await remember({ term: 1_000 });
    await says('DataLost', 'True', 'OlderData');
    await follow(cluster, ['OlderData', 'Diagnosis']);
    const { dataLost = [] } = await replicaSetOf(cluster);
    const options = { names: { TIME: dataLost.at(-1)!.at }, only: 'data-loss-acknowledged' };
    await follow(cluster, ['OlderData', 'Mitigation'], options);
    await says('DataLost', 'False', 'NoLossKnown');
    await cluster.ready();
  }, 700_000);

  test('ReplicaSetMismatch', async () => {
    const { id } = await replicaSetOf(cluster);
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    await remember({ id: OTHER_SET });
    await says('StoreReady', 'False', 'ReplicaSetMismatch');
    await follow(cluster, ['ReplicaSetMismatch', 'Diagnosis']);
    const options = { names: { ID: id! }, only: 'annotate hashcluster' };
    await follow(cluster, ['ReplicaSetMismatch', 'Mitigation'], options);
    await says('StoreReady', 'True', 'Healthy');
    await cluster.ready();
    expect((await replicaSetOf(cluster)).id).toBe(id);
  }, 700_000);
});
