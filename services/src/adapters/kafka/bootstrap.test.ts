import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findBroker } from './bootstrap.ts';
import { startAnswering, startUnusable, type Unusable } from './testing/unusable.ts';

const WAYS = ['refuses', 'hangs', 'closes', 'does not resolve', 'is no broker'] as const;

describe('the search for a broker that answers', () => {
  let unusable: Unusable;
  let good: Awaited<ReturnType<typeof startAnswering>>;
  beforeAll(async () => {
    [unusable, good] = await Promise.all([startUnusable(), startAnswering()]);
  });
  afterAll(() => Promise.all([unusable.close(), good.close()]));

  const find = (...brokers: string[]) => findBroker({ brokers, clientId: 'test' });

  test.each(WAYS)('puts a good broker before one that %s', async (way) => {
    const bad = unusable.addresses[way];
    for (const list of [
      [bad, good.address],
      [good.address, bad],
    ])
      expect((await find(...list)).brokers).toEqual([good.address, bad]);
  });

  test('finds the one broker of six that answers', async () => {
    const bad = Object.values(unusable.addresses);
    expect((await find(...bad, good.address)).brokers).toEqual([good.address, ...bad]);
  });

  test('begins at a broker by chance when several answer', async () => {
    const other = await startAnswering();
    const first = new Set<string>();
    for (let i = 0; i < 64; i++) first.add((await find(good.address, other.address)).brokers[0]!);
    await other.close();
    expect(first).toEqual(new Set([good.address, other.address]));
  });

  test('fails when all have failed, and names each with its reason', async () => {
    const failed = await find(...WAYS.map((way) => unusable.addresses[way])).catch((error: unknown) =>
      String(error),
    );
    expect(failed).toMatch(/127\.0\.0\.1:1: connect ECONNREFUSED/);
    expect(failed).toMatch(/no answer within/);
    expect(failed).toMatch(/closes the connection without an answer/);
    expect(failed).toMatch(/broker\.invalid:9092: getaddrinfo/);
    expect(failed).toMatch(/is not a Kafka broker/);
  });
});
