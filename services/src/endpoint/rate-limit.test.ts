import { afterEach, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { addressKey } from './rate-limit.ts';
import { TestEndpoints } from './testing/harness.ts';
import { call, post } from './testing/http-client.ts';

const endpoints = new TestEndpoints();

afterEach(() => endpoints.stopAll());

describe('the rate limit', () => {
  test('refuses an address that asks too much, and says when to come again', async () => {
    const { url, store, metrics } = await endpoints.start({ rateLimitPerAddress: 3 });
    for (let i = 0; i < 3; i++) expect((await post(url, { data: `${i}`, iterations: 1 })).status).toBe(200);
    const { status, headers, json } = await post(url, { data: 'x', iterations: 1 });
    expect([status, headers['content-type']]).toEqual([429, 'application/problem+json']);
    expect(json!['type']).toMatch(/rate-limited$/);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(headers['ratelimit']).toMatch(/^"address";r=0;t=\d+$/);
    expect(headers['ratelimit-policy']).toMatch(/^"address";q=3;w=10;pk=:[A-Za-z0-9+/]+:$/);
    expect(store.records.size).toBe(3);
    expect(metrics.sums.get('hashcluster.endpoint.shed{reason=rate-address}')).toBe(1);
  });

  test('refuses everybody when all together ask too much', async () => {
    const { url } = await endpoints.start({ rateLimitTotal: 2 });
    await call(`${url}/`);
    await call(`${url}/`);
    const reply = await call(`${url}/`);
    expect([reply.status, reply.headers['ratelimit']]).toEqual([429, expect.stringMatching(/^"total"/)]);
  });

  test('lets an address in again in the next window', async () => {
    const { url } = await endpoints.start({ rateLimitPerAddress: 1, rateWindowMs: 100 });
    const statuses: number[] = [];
    while (statuses.filter((status) => status === 200).length < 2 && statuses.length < 10_000)
      statuses.push((await call(`${url}/`)).status);
    expect(statuses.at(-1)).toBe(200);
    expect(statuses).toContain(429);
  });

  test('is applied before any of the body is read', async () => {
    const { url } = await endpoints.start({ rateLimitPerAddress: 1 });
    await call(`${url}/`);
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (; given < 10_000; given++) yield Buffer.alloc(64 * 1024);
      })(),
    );
    const reply = await call(`${url}/enqueue?iterations=1`, { method: 'PUT', body: endless });
    expect([reply.status, reply.headers['connection']]).toEqual([429, 'close']);
    expect(given).toBeLessThan(1_000);
    endless.destroy();
  });

  test('believes nobody about his address, unless proxies are known to stand in front', async () => {
    const asking = (url: string, address: string) =>
      call(`${url}/`, { headers: { 'x-forwarded-for': address } });
    const direct = await endpoints.start({ rateLimitPerAddress: 1 });
    expect((await asking(direct.url, '1.1.1.1')).status).toBe(200);
    expect((await asking(direct.url, '2.2.2.2')).status).toBe(429);
    const proxied = await endpoints.start({ rateLimitPerAddress: 1, trustProxyHops: 1 });
    expect((await asking(proxied.url, '6.6.6.6, 1.1.1.1')).status).toBe(200);
    expect((await asking(proxied.url, '6.6.6.6, 2.2.2.2')).status).toBe(200);
    expect((await asking(proxied.url, '7.7.7.7, 1.1.1.1')).status).toBe(429);
  });

  test.each([
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['2001:db8:1:1::1', '2001:db8:1:ff::2', true],
    ['2001:db8:1:1::1', '2001:db8:2:1::1', false],
    ['2001:db8:1:100::1', '2001:db8:1:200::1', false],
  ])('counts %s and %s together: %p', (one, other, together) => {
    expect(addressKey(one) === addressKey(other)).toBe(together);
  });
});
