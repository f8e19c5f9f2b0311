import { hash } from 'node:crypto';
import { iterate } from '../../chaos/jobs.ts';

/** The digest at position `iterations` of the chain of `data`, computed here. */
export function iterated(data: string, iterations: number): string {
  return iterate(hash('sha512', data), iterations - 1);
}
