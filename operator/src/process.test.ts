import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from './control/testing/until.ts';
import { Transport } from './control/transport.ts';
import type { KubeObject } from './plan/kube.ts';
import { type RunningOperator, startOperator } from './process.ts';
import { RecordingLogger } from './runtime/testing/recording-logger.ts';
import { operatorSettings } from './settings.ts';
import { type ApiServer, startApiServer } from './testing/api-server.ts';
import { installCrds } from './testing/crds.ts';
import { HashClusters } from './testing/hash-clusters.ts';
import { findApiServer } from './testing/settings.ts';

const programs = findApiServer();
const needs = programs ? '' : ' (needs kube-apiserver and etcd)';

(programs ? describe : describe.skip)(`a process against a real API server${needs}`, () => {
  let server: ApiServer;
  let transport: Transport;
  let clusters: HashClusters;
  const running: RunningOperator[] = [];

  beforeAll(async () => {
    server = await startApiServer(programs!);
    transport = new Transport({ config: server.config, perSecond: 1_000, burst: 1_000 });
    await installCrds(transport);
    clusters = new HashClusters(transport, 'process');
    await clusters.makeNamespace();
  }, 180_000);

  afterAll(async () => {
    await Promise.all(running.map((operator) => operator.stop()));
    await transport.stop();
    await server.stop();
  }, 60_000);

  async function start(name: string) {
    const logger = new RecordingLogger();
    const faults: Error[] = [];
    const env = { POD_NAMESPACE: 'process', POD_NAME: name, ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' };
    const operator = await startOperator({
      ...{ settings: operatorSettings(env), version: '1', logger, config: server.config },
      onFault: (error) => faults.push(error),
    });
    running.push(operator);
    const ask = async (path: string): Promise<string> =>
      (await fetch(`http://127.0.0.1:${operator.adminPort()}${path}`)).text();
    return { operator, logger, faults, ask };
  }

  const all = async (path: string): Promise<readonly KubeObject[]> =>
    (await transport.request<{ items: KubeObject[] }>({ method: 'GET', path })).items;

  async function eventually(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  test('makes what a cluster needs, then writes no more, and hands over to the next', async () => {
    const first = await start('first');
    await until(() => first.operator.leads());
    const second = await start('second');
    await clusters.create('demo');
    await eventually(async () => {
      const sets = await all('/apis/apps/v1/namespaces/process/statefulsets');
      const { status } = await clusters.get('demo');
      return sets.length === 2 && (status?.conditions?.length ?? 0) > 0;
    });
    const writes = async (): Promise<string[]> =>
      (await first.ask('/metrics'))
        .split('\n')
        .filter((line) => line.startsWith('hashcluster_operator_api_writes'));
    let before: string[] = [];
    await eventually(async () => {
      const now = await writes();
      const settled = now.join() === before.join();
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      return settled;
    });
    // What is in force is written in a later round than what people may change: asked once nothing is written any more.
    expect((await all('/api/v1/namespaces/process/secrets')).map(({ metadata }) => metadata.name)).toEqual([
      'demo-kafka-credentials',
      'demo-kafka-credentials-applied',
      'demo-mongodb-credentials',
      'demo-mongodb-credentials-applied',
    ]);
    expect(JSON.parse(await second.ask('/healthz'))).toMatchObject({ status: 'ok', info: { leads: false } });
    await first.operator.stop();
    await until(() => second.operator.leads());
    await clusters.patch('demo', { worker: { env: [{ name: 'EXTRA', value: 'x' }] } });
    // It leads before it has listed what there is: its first round comes a moment later.
    await eventually(async () =>
      (await second.ask('/metrics')).includes('hashcluster_operator_reconcile_duration'),
    );
    expect([first.faults, second.faults]).toEqual([[], []]);
    const failures = [...first.logger.records, ...second.logger.records].filter(
      ({ level }) => level === 'error',
    );
    expect(failures).toEqual([]);
  }, 120_000);
});
