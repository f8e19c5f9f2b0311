import { afterEach, describe, expect, test } from '@jest/globals';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { post, raw, type Raw } from './testing/http-client.ts';

const MIB = 1024 * 1024;
const endpoints = new TestEndpoints();

afterEach(() => endpoints.stopAll());

const heldBy = ({ metrics }: Running): number => metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value;

test('a batch whose errors would take more memory than there is, is refused', async () => {
  const it = await endpoints.start({ maxHeldBytes: 8 * MIB, maxDocumentBytes: 4 * MIB });
  const item = `{${Array.from({ length: 24 }, (_, key) => `"k${key}":1`).join()}}`;
  const reply = await post(it.url, `[${Array<string>(3_000).fill(item).join()}]`);
  expect([reply.status, reply.json!['type']]).toEqual([503, expect.stringMatching(/overloaded$/)]);
  expect(heldBy(it)).toBe(0);
  expect((await post(it.url, `[${item},${item}]`)).status).toBe(200);
});

/** A client that asks for much and reads nothing of it. */
async function unreadAnswers(it: Running, request: string): Promise<Raw> {
  const items = Array.from({ length: 1_000 }, (_, i) => `{"data":"${i}","iterations":1000000}`);
  expect((await post(it.url, `[${items.join()}]`)).status).toBe(200);
  const client = await raw(it.port);
  client.socket.pause();
  client.socket.write(request.repeat(60));
  return client;
}

const items = `[${Array.from({ length: 1_000 }, (_, i) => `{"data":"${i}","iterations":1}`).join()}]`;

describe.each([
  ['lists', 'GET /v1/jobs?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n'],
  [
    'batches',
    `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${items.length}\r\n\r\n${items}`,
  ],
])('answers of %s that nobody reads', (_what, request) => {
  test('are charged until the client goes away', async () => {
    const it = await endpoints.start();
    const client = await unreadAnswers(it, request);
    // Once the systems between us hold all they can, nothing of an answer moves.
    let before = -1;
    await until(async () => {
      const [last, now] = [before, it.store.calls.length];
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return last === now && heldBy(it) > 0;
    });
    client.socket.destroy();
    await until(() => heldBy(it) === 0);
  });

  test('are given up when the client takes them too slowly', async () => {
    const it = await endpoints.start({ minAnswerBytesPerSecond: 1_000_000_000, answerRateWindowMs: 500 });
    const client = await unreadAnswers(it, request);
    await until(() => it.metrics.sums.get('hashcluster.endpoint.shed{reason=slow-reader}') === 1);
    await until(() => heldBy(it) === 0);
    expect((await post(it.url, { data: 'x', iterations: 1 })).status).toBe(200);
    client.socket.destroy();
  });
});
