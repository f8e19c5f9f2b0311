import { afterEach, expect, test } from '@jest/globals';
import { EventRecorder, type Happening } from './events.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { until } from './testing/until.ts';
import { Transport } from './transport.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const KIND = { apiVersion: 'events.k8s.io/v1', kind: 'Event' };
const HAPPENING: Happening = {
  regarding: {
    ...{ apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster' },
    ...{ namespace: 'a', name: 'demo', uid: 'u-1' },
  },
  ...{ type: 'Warning', reason: 'Evicted', action: 'Evict', note: 'Pod w-1 was cut off for 60 s' },
};

async function setup() {
  const server = await FakeApiServer.start();
  const transport = new Transport({ config: server.config(), retryBudgetMs: 0 });
  const trouble: unknown[] = [];
  const recorder = new EventRecorder({
    ...{ transport, controller: 'hashcluster.io/operator', instance: 'pod-1', countMs: 10 },
    onTrouble: (what) => trouble.push(what),
  });
  stops.push(
    () => server.stop(),
    () => transport.stop(),
    () => recorder.stop(),
  );
  return { server, recorder, trouble, events: () => server.all(KIND) };
}

test('an event is written as people see it', async () => {
  const { recorder, events } = await setup();
  recorder.record(HAPPENING);
  await until(() => events().length === 1);
  expect(events()[0]).toMatchObject({
    ...KIND,
    metadata: { namespace: 'a', name: expect.stringMatching(/^demo\.[0-9a-f]{16}$/) },
    ...HAPPENING,
    eventTime: expect.stringMatching(/\.\d{6}Z$/),
    reportingController: 'hashcluster.io/operator',
    reportingInstance: 'pod-1',
  });
});

test('equal events are counted, others are not mixed with them', async () => {
  const { recorder, events, server } = await setup();
  for (let i = 0; i < 100; i++) recorder.record(HAPPENING);
  recorder.record({ ...HAPPENING, note: 'Pod w-2 was cut off for 60 s' });
  await until(() =>
    events().some((event) => (event['series'] as { count: number } | undefined)?.count === 100),
  );
  expect(events()).toHaveLength(2);
  expect(server.requests.length).toBeLessThan(5);
});

test('stopping writes the counts that are still to be written, and takes nothing more', async () => {
  const { recorder, events, server } = await setup();
  for (let i = 0; i < 3; i++) recorder.record(HAPPENING);
  await Promise.all([recorder.stop(), recorder.stop()]);
  expect(events()[0]).toMatchObject({ series: { count: 3 } });
  recorder.record({ ...HAPPENING, reason: 'Late' });
  const { length } = server.requests;
  await recorder.stop();
  expect([events().length, server.requests.length]).toEqual([1, length]);
});

test('one object cannot flood the others', async () => {
  const { recorder, events, trouble } = await setup();
  for (let i = 0; i < 100; i++) recorder.record({ ...HAPPENING, note: `Number ${i}` });
  recorder.record({ ...HAPPENING, regarding: { ...HAPPENING.regarding, name: 'other', uid: 'u-2' } });
  await recorder.stop();
  expect([events().length, trouble.length]).toEqual([26, 75]);
});

test('what cannot be written is told, and nothing else suffers', async () => {
  const { server, recorder, trouble, events } = await setup();
  server.fail({ kind: 'status', status: 500 }, 1);
  recorder.record(HAPPENING);
  await until(() => trouble.length === 1);
  recorder.record(HAPPENING);
  await until(() => events().length === 1);
});
