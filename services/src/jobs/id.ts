import { hash } from 'node:crypto';
import { DIGEST_BYTES } from './digest.ts';
import type { Digest, JobFacts, JobId } from './job.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_BYTES = 16;
const DOMAIN = Buffer.from('hashcluster/job/1');

/** What a job id looks like: 26 characters of lower-case Crockford base32. The first holds 3 bits, so it is 0 … 7. */
export const JOB_ID_PATTERN = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/**
 * Crockford base32 (lower case) of 16 bytes, read as one big-endian number: 26 characters of 5 bits, the first of 3.
 * Source: https://www.crockford.com/base32.html
 */
function base32(bytes: Buffer): string {
  let text = '';
  let value = 0;
  let bits = 2;
  for (let i = 0; i < ID_BYTES; i++) {
    value = ((value << 8) | bytes[i]!) & 0x1fff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31]!;
    }
  }
  return text;
}

/**
 * The name of a job: base32 of the first 16 bytes of
 * `sha256("hashcluster/job/1" ‖ tenant ‖ 0x00 ‖ chain ‖ iterations as u64 big-endian)`.
 * Equal jobs have equal names, so submitting twice gives the same job.
 */
export function jobId(tenant: string, chain: Digest, iterations: number): JobId {
  const name = Buffer.from(tenant);
  const bytes = Buffer.alloc(DOMAIN.length + name.length + 1 + DIGEST_BYTES + 8);
  DOMAIN.copy(bytes);
  name.copy(bytes, DOMAIN.length);
  const at = DOMAIN.length + name.length + 1;
  bytes.write(chain, at, 'hex');
  bytes.writeUInt32BE(Math.floor(iterations / 2 ** 32), at + DIGEST_BYTES);
  bytes.writeUInt32BE(iterations % 2 ** 32, at + DIGEST_BYTES + 4);
  return base32(hash('sha256', bytes, 'buffer'));
}

/** The facts of a job, named. */
export function jobFacts(tenant: string, chain: Digest, iterations: number): JobFacts {
  return { id: jobId(tenant, chain, iterations), tenant, chain, iterations };
}
