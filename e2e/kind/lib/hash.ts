import { hash } from 'node:crypto';

/** The digest at position `iterations` of the chain of `data`, computed here. */
export function iterated(data: string, iterations: number): string {
  let digest = hash('sha512', data, 'buffer');
  for (let i = 1; i < iterations; i++) digest = hash('sha512', digest, 'buffer');
  return digest.toString('hex');
}
