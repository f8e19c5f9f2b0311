import { afterEach, expect, test } from '@jest/globals';
import { TestEndpoints, type Running } from './testing/harness.ts';
import { post } from './testing/http-client.ts';

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
