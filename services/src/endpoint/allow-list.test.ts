import { afterEach, describe, expect, test } from '@jest/globals';
import { allowList, faultyRange } from './allow-list.ts';
import { TestEndpoints } from './testing/harness.ts';
import { call, post } from './testing/http-client.ts';

const endpoints = new TestEndpoints();

afterEach(() => endpoints.stopAll());

describe('a list of ranges', () => {
  test.each([
    [['10.0.0.0/8'], '10.255.1.2', true],
    [['10.0.0.0/8'], '::ffff:10.255.1.2', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['10.0.0.0/8', '2001:db8::/32'], '2001:db8:ffff::1', true],
    [['10.0.0.0/8', '2001:db8::/32'], '2001:db9::1', false],
    [['0.0.0.0/0'], '203.0.113.9', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['10.0.0.0/8'], 'unknown', false],
    [['10.0.0.0/8'], undefined, false],
    [[], undefined, true],
  ])('%j has %s: %p', (ranges, address, within) => {
    expect(allowList(ranges)(address)).toBe(within);
  });

  test.each([
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0/8',
    'here',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '',
  ])('has no range %p', (range) => {
    expect(faultyRange(['10.0.0.0/8', range])).toBe(range);
    expect(() => allowList([range])).toThrow(RangeError);
  });
});

describe('an endpoint for some clients only', () => {
  test('refuses all others before anything else, and they use up nobody’s rate', async () => {
    const settings = { allowedClients: ['192.0.2.0/24'], trustProxyHops: 1, rateLimitTotal: 1 };
    const { url, store, metrics } = await endpoints.start(settings);
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    for (const address of ['198.51.100.1', '192.0.2.1, 198.51.100.1']) {
      const { status, json } = await post(url, { data: 'x', iterations: 1 }, from(address).headers);
      expect([status, json!['type']]).toEqual([403, expect.stringMatching(/forbidden$/)]);
    }
    expect((await call(`${url}/v1/cluster`, from('192.0.2.9'))).status).toBe(200);
    expect(store.records.size).toBe(0);
    expect(metrics.sums.get('hashcluster.endpoint.shed{reason=address}')).toBe(2);
  });

  test('believes what a client says of himself no more than before', async () => {
    const { url } = await endpoints.start({ allowedClients: ['192.0.2.0/24'] });
    expect((await call(`${url}/`, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(403);
    const { url: home } = await endpoints.start({ allowedClients: ['127.0.0.0/8', '::1'] });
    expect((await call(`${home}/`)).status).toBe(200);
  });
});
