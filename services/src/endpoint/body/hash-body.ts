import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Digest } from '../../jobs/job.ts';
import { readBody, type ReadOptions } from './read-body.ts';

export interface HashedBody {
  /** `sha512(body)`: the digest at position 1 of its chain. */
  readonly chain: Digest;
  readonly bytes: number;
}

/** Hashes a body while it streams in. Rejects as `readBody` does. */
export async function hashBody(
  req: IncomingMessage,
  res: ServerResponse,
  options: ReadOptions,
): Promise<HashedBody> {
  const hash = createHash('sha512');
  const write = (chunk: Buffer): number => {
    const { length } = chunk;
    hash.update(chunk);
    freeAtOnce(chunk);
    return length;
  };
  const bytes = await readBody(req, res, { write }, options);
  return { chain: hash.digest('hex'), bytes };
}

/**
 * Gives the memory of a chunk back now. The garbage collector would let some 64 MiB of them come together first.
 * Only where the chunk is alone in its memory, and where the engine can do so (Node 22 and later).
 */
function freeAtOnce({ buffer, byteLength }: Buffer): void {
  if (byteLength === buffer.byteLength && 'transfer' in buffer) buffer.transfer(0);
}
