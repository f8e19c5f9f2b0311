import { afterAll, expect, test } from '@jest/globals';
import { FakeApiServer } from './control/testing/fake-api-server.ts';
import { until } from './control/testing/until.ts';
import { API_VERSION, KIND } from './api/hash-cluster.ts';
import { type RunningOperator, startOperator } from './process.ts';
import { RecordingLogger } from './runtime/testing/recording-logger.ts';
import { operatorSettings } from './settings.ts';

const RENEWALS = 6;
let server: FakeApiServer;
let operator: RunningOperator;

afterAll(async () => {
  await operator.stop();
  await server.stop();
});

test('a leader with more work than it may send requests for renews its Lease in time', async () => {
  server = await FakeApiServer.start();
  for (let index = 0; index < 20; index += 1) {
    const metadata = { name: `c${index}`, namespace: 'ns', uid: `uid-${index}`, generation: 1 };
    server.put({ apiVersion: API_VERSION, kind: KIND, metadata, spec: {} });
  }
  const env = {
    POD_NAMESPACE: 'ns',
    POD_NAME: 'o',
    ADMIN_PORT: '0',
    ADMIN_HOST: '127.0.0.1',
    API_REQUESTS_PER_SECOND: '1',
  };
  const faults: Error[] = [];
  operator = await startOperator({
    ...{ settings: operatorSettings(env), version: '1', logger: new RecordingLogger() },
    config: server.config(),
    onFault: (error) => faults.push(error),
  });
  const renewals = () =>
    server.requests.filter(
      ({ method, path }) => method === 'PUT' && path.endsWith('/leases/hashcluster-operator'),
    ).length;
  await until(() => renewals() >= RENEWALS || faults.length > 0);
  expect(faults).toEqual([]);
  expect(operator.leads()).toBe(true);
}, 60_000);
