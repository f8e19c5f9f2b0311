import { afterEach, describe, expect, test } from '@jest/globals';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { call, post, raw } from './testing/http-client.ts';
import { facts } from './testing/jobs.ts';

const endpoints = new TestEndpoints();
const job = { data: 'a', iterations: 1e6 };
const { id } = facts('a', 1e6);
const digest = 'd'.repeat(128);

afterEach(() => endpoints.stopAll());

/** What a worker does at the end of a job. */
async function finish({ store, bus }: Running, data = 'a'): Promise<void> {
  const known = facts(data, 1e6);
  await store.complete([{ ...known, digest, computed: 9, worker: 'w', createdAt: 1, startedAt: 1 }]);
  await bus.publish('results', [{ id: known.id, outcome: 'done', digest }]);
}

const waits = ({ metrics }: Running): number =>
  metrics.gauges.get('hashcluster.endpoint.watchers')!()[0]!.value;

describe('Prefer: wait', () => {
  test('holds a submission until its job is done', async () => {
    const it = await endpoints.start();
    const reply = post(it.url, job, { prefer: 'wait=30' });
    await until(() => it.store.records.has(id));
    await finish(it);
    const { status, json, headers } = await reply;
    expect([status, json!['digest'], headers['preference-applied']]).toEqual([200, digest, 'wait=30']);
    expect(waits(it)).toBe(0);
  });

  test('holds a look at a job', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const reply = call(`${it.url}/v1/jobs/${id}`, { headers: { prefer: 'respond-async, wait="5"' } });
    await until(() => waits(it) === 1);
    await finish(it);
    expect(await reply).toMatchObject({
      status: 200,
      json: { state: 'done' },
      headers: { 'preference-applied': 'wait=5' },
    });
  });

  test('holds a batch until all of it is done', async () => {
    const it = await endpoints.start();
    const items = [job, { data: 'short', iterations: 1 }, 5, { data: 'b', iterations: 1e6 }];
    const reply = post(it.url, items, { prefer: 'wait=30' });
    await until(() => it.store.records.size === 3);
    await finish(it, 'b');
    expect(waits(it)).toBe(1);
    await finish(it, 'a');
    const answers = (await reply).json!['items'] as { status: number }[];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 422, 200]);
  });

  test('is answered with how the job stands when the time is up', async () => {
    const it = await endpoints.start();
    const reply = post(it.url, job, { prefer: 'wait=1' });
    await until(() => it.store.records.has(id));
    await it.store.claim('w7', { ids: [id] });
    expect(await reply).toMatchObject({ status: 202, json: { state: 'running', worker: 'w7' } });
  });

  test('is answered at once when the result is known, and says so too', async () => {
    const it = await endpoints.start();
    await post(it.url, { data: 'a', iterations: 1 });
    const reply = await post(it.url, { data: 'a', iterations: 1 }, { prefer: 'wait=60' });
    expect(reply).toMatchObject({ status: 200, headers: { 'preference-applied': 'wait=60' } });
  });

  test('is granted up to a limit, which is named', async () => {
    const it = await endpoints.start({ waitSecondsMax: 1 });
    const reply = await post(it.url, job, { prefer: 'wait=3600' });
    expect(reply).toMatchObject({ status: 202, headers: { 'preference-applied': 'wait=1' } });
  });

  test.each(['wait=0', 'wait=-1', 'wait=soon', 'return=minimal', 'wait="5'])(
    'is ignored as %s',
    async (prefer) => {
      const it = await endpoints.start();
      const reply = await post(it.url, job, { prefer });
      expect(reply.status).toBe(202);
      expect(reply.headers['preference-applied']).toBeUndefined();
    },
  );

  test('is ignored when too many wait already', async () => {
    const it = await endpoints.start({ maxWaiters: 0 });
    const reply = await post(it.url, job, { prefer: 'wait=30' });
    expect([reply.status, reply.headers['preference-applied']]).toEqual([202, undefined]);
  });

  test('ends with a cancellation', async () => {
    const it = await endpoints.start();
    const reply = post(it.url, job, { prefer: 'wait=30' });
    await until(() => it.store.records.has(id));
    await call(`${it.url}/v1/jobs/${id}`, { method: 'DELETE' });
    expect(await reply).toMatchObject({ status: 200, json: { state: 'cancelled' } });
  });

  test('leaves nothing behind when the client goes away', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const other = await raw(it.port, `GET /v1/jobs/${id} HTTP/1.1\r\nHost: x\r\nPrefer: wait=60\r\n\r\n`);
    await until(() => waits(it) === 1);
    other.socket.destroy();
    await until(() => waits(it) === 0);
  });

  test('survives the loss of every message', async () => {
    const it = await endpoints.start({ recheckMs: 20 });
    const reply = post(it.url, job, { prefer: 'wait=30' });
    await until(() => it.store.records.has(id));
    await it.store.complete([
      { ...facts('a', 1e6), digest, computed: 9, worker: 'w', createdAt: 1, startedAt: 1 },
    ]);
    expect(await reply).toMatchObject({ status: 200, json: { digest } });
  });
});

describe('DELETE /v1/jobs/{id}', () => {
  test('cancels a live job, and tells everybody', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const reply = await call(`${it.url}/v1/jobs/${id}`, { method: 'DELETE' });
    expect(reply).toMatchObject({ status: 200, json: { state: 'cancelled', digest: null } });
    await until(() => it.bus.messages('results').length > 0);
    expect(it.bus.messages('control')).toEqual([{ kind: 'cancel', id }]);
    expect(it.bus.messages('results')).toEqual([{ id, outcome: 'cancelled', digest: null }]);
    expect(it.logger.with('Job cancelled')[0]?.fields['job']).toBe(id);
  });

  test.each(['done', 'cancelled'])('refuses a job that is %s already', async (outcome) => {
    const it = await endpoints.start();
    await post(it.url, job);
    if (outcome === 'done') await finish(it);
    else await it.store.cancel('default', [id]);
    const reply = await call(`${it.url}/v1/jobs/${id}`, { method: 'DELETE' });
    expect(reply).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining(outcome) as unknown },
    });
    expect(it.bus.messages('control')).toEqual([]);
  });

  test('of one job by many clients succeeds once', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => call(`${it.url}/v1/jobs/${id}`, { method: 'DELETE' })),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  test('is a success when the call that cancelled it had lost its answer', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    it.store.answersLost = 1;
    const reply = await call(`${it.url}/v1/jobs/${id}`, { method: 'DELETE' });
    expect(reply).toMatchObject({ status: 200, json: { state: 'cancelled' } });
    expect(it.bus.messages('control')).toEqual([{ kind: 'cancel', id }]);
  });

  test('can be followed by another submission', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    await call(`${it.url}/v1/jobs/${id}`, { method: 'DELETE' });
    expect(await post(it.url, job)).toMatchObject({ status: 202, json: { id, state: 'queued' } });
  });
});
