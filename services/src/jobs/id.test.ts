import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chainOf } from './digest.ts';
import { JOB_ID_PATTERN, jobFacts, jobId } from './id.ts';
import { MAX_ITERATIONS } from './limits.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The same by another road: one big number, divided by 32 again and again. */
function slowly(tenant: string, chain: string, iterations: number): string {
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(iterations));
  const name = [Buffer.from(`hashcluster/job/1${tenant}\0`), Buffer.from(chain, 'hex'), count];
  let rest = BigInt(`0x${createHash('sha256').update(Buffer.concat(name)).digest('hex').slice(0, 32)}`);
  let text = '';
  for (let at = 0; at < 26; at++) {
    text = ALPHABET[Number(rest % 32n)]! + text;
    rest /= 32n;
  }
  return text;
}

const tenant = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
const chain = fc
  .uint8Array({ minLength: 64, maxLength: 64 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const iterations = fc.oneof(
  fc.integer({ min: 1, max: MAX_ITERATIONS }),
  fc.integer({ min: 1, max: 2 ** 20 }),
);

describe('the id of a job', () => {
  // Computed with Python's hashlib and int.to_bytes.
  test.each([
    { tenant: 'default', data: '', iterations: 1, id: '4mz0tav0k83hkqj7nksqxebf5t' },
    { tenant: 'default', data: 'abc', iterations: 1, id: '0x7hf5zdahxf522z46zyac40bq' },
    { tenant: 'default', data: 'abc', iterations: 2, id: '2g9vcm6kv0j4hy626ht778a69v' },
    { tenant: 'default', data: 'abc', iterations: 1_000_000, id: '3zwfx6gc2bmjkfmy9nm6mc1h0v' },
    { tenant: 'default', data: 'abc', iterations: 2 ** 32 - 1, id: '61h4h4m1sgp4hjaedzm6vdq91k' },
    { tenant: 'default', data: 'abc', iterations: 2 ** 32, id: '53gssctc4w3acprpvhvd3khnk5' },
    { tenant: 'default', data: 'abc', iterations: 2 ** 53 - 1, id: '074b5gjgnd4a81x8tvkpwsabgt' },
    { tenant: 'acme', data: 'abc', iterations: 1_000_000, id: '3vkqc0psrydf2nkkrn2m501b4k' },
    { tenant: 'ünïcødé 🚀', data: 'abc', iterations: 12_345, id: '2z9f4tvx05mqmgg48x3n40mg8z' },
  ])(
    'of $iterations iterations over "$data" for $tenant is $id',
    ({ tenant: who, data, iterations: count, id }) => {
      expect(jobId(who, chainOf(data), count)).toBe(id);
    },
  );

  test('is what the definition says, for any job', () => {
    fc.assert(
      fc.property(tenant, chain, iterations, (who, from, count) => {
        expect(jobId(who, from, count)).toBe(slowly(who, from, count));
      }),
    );
  });

  test('looks like an id', () => {
    fc.assert(
      fc.property(tenant, chain, iterations, (...facts) => expect(jobId(...facts)).toMatch(JOB_ID_PATTERN)),
    );
  });

  test('is another when anything about the job is another', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(tenant, chain, iterations), { selector: String }), (jobs) => {
        expect(new Set(jobs.map((facts) => jobId(...facts))).size).toBe(jobs.length);
      }),
    );
  });

  test('stands with the facts that it names', () => {
    const from = chainOf('abc');
    expect(jobFacts('default', from, 2)).toEqual({
      id: '2g9vcm6kv0j4hy626ht778a69v',
      tenant: 'default',
      chain: from,
      iterations: 2,
    });
  });

  test.each(['', '8zzzzzzzzzzzzzzzzzzzzzzzzz', '7zzzzzzzzzzzzzzzzzzzzzzzz', '7zzzzzzzzzzzzzzzzzzzzzzzzzz'])(
    'is not %j',
    (text) => expect(text).not.toMatch(JOB_ID_PATTERN),
  );

  test.each(['i', 'l', 'o', 'u', 'A', '-', ' '])('does not contain %j', (letter) => {
    expect(`0${letter}${'0'.repeat(24)}`).not.toMatch(JOB_ID_PATTERN);
    expect(`0x${'0'.repeat(24)}`).toMatch(JOB_ID_PATTERN);
  });
});
