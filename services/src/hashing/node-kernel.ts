import { hash } from 'node:crypto';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { Kernel } from './kernel.ts';
import { createLaneKernel } from './lane-runner.ts';

/** About a millisecond. */
const CHUNK_STEPS_NODE = 1_024;

/** SHA-512 by node:crypto, one iteration a call: runs everywhere, and is what the others are compared with. */
export function createNodeKernel(): Kernel {
  let digest: Uint8Array = new Uint8Array(DIGEST_BYTES);
  return createLaneKernel('node', {
    lanes: 1,
    chunkSteps: CHUNK_STEPS_NODE,
    load(_lane, digests, offset) {
      // A copy: the caller's memory may be shared, and must not change before `store`.
      digest = digests.slice(offset, offset + DIGEST_BYTES);
    },
    store(_lane, digests, offset) {
      digests.set(digest, offset);
    },
    step(_live, steps) {
      for (let i = 0; i < steps; i++) digest = hash('sha512', digest, 'buffer');
    },
  });
}
