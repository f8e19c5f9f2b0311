import { hash } from 'node:crypto';
import type { Digest } from './job.ts';

/** A digest has 64 bytes. Source: NIST FIPS 180-4, SHA-512. */
export const DIGEST_BYTES = 64;

/** What a digest looks like in text. */
export const DIGEST_PATTERN = /^[0-9a-f]{128}$/;

/** `sha512(data)`: the digest at position 1 of the chain that starts from `data`. */
export function chainOf(data: Uint8Array | string): Digest {
  return hash('sha512', data, 'hex');
}
