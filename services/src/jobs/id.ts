import { hash } from 'node:crypto';
import { DIGEST_BYTES } from './digest.ts';
import type { Digest, JobFacts, JobId } from './job.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_BYTES = 16;
const ID_LENGTH = 26;
const DOMAIN = Buffer.from('hashcluster/job/1');

/** What a job id looks like: 26 characters of lower-case Crockford base32. The first holds 3 bits, so it is 0 … 7. */
export const JOB_ID_PATTERN = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/**
 * Crockford base32 (lower case) of 16 bytes, read as one big-endian number: 26 characters of 5 bits, the first of 3.
 * Source: https://www.crockford.com/base32.html
 * @param bytes a character for each
 */
function base32(bytes: string): string {
  // Adding up characters would make a string of many parts, each of them an object.
  const text = Buffer.allocUnsafe(ID_LENGTH);
  let at = 0;
  let value = 0;
  let bits = 2;
  for (let i = 0; i < ID_BYTES; i++) {
    value = ((value << 8) | bytes.charCodeAt(i)) & 0x1fff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text[at++] = ALPHABET.charCodeAt((value >>> bits) & 31);
    }
  }
  return text.toString('latin1');
}

/**
 * The name of a job: base32 of the first 16 bytes of
 * `sha256("hashcluster/job/1" ‖ tenant ‖ 0x00 ‖ chain ‖ iterations as u64 big-endian)`.
 * Equal jobs have equal names, so submitting twice gives the same job.
 */
export function jobId(tenant: string, chain: Digest, iterations: number): JobId {
  const bytes = Buffer.allocUnsafe(DOMAIN.length + Buffer.byteLength(tenant) + 1 + DIGEST_BYTES + 8);
  let at = DOMAIN.copy(bytes);
  at += bytes.write(tenant, at);
  at = bytes.writeUInt8(0, at);
  at += bytes.write(chain, at, 'hex');
  at = bytes.writeUInt32BE(Math.floor(iterations / 2 ** 32), at);
  bytes.writeUInt32BE(iterations % 2 ** 32, at);
  return base32(hash('sha256', bytes, 'binary'));
}

/** The facts of a job, named. */
export function jobFacts(tenant: string, chain: Digest, iterations: number): JobFacts {
  return { id: jobId(tenant, chain, iterations), tenant, chain, iterations };
}
