import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import { openKernel } from '../hashing/select.ts';
import type { Kernel } from '../hashing/kernel.ts';
import type { BenchData, BenchOrder, BenchReport } from './bench-protocol.ts';

/** Chains that do not end while they are measured. */
const ENDLESS = Number.MAX_SAFE_INTEGER;

function measure(kernel: Kernel, { chains, ms }: BenchOrder): number {
  const digests = new Uint8Array(chains * DIGEST_BYTES).map((_, i) => i % 251);
  const remaining = new Float64Array(chains).fill(ENDLESS);
  const batch = {
    digests,
    remaining,
    order: Uint32Array.from({ length: chains }, (_, i) => i),
    count: chains,
  };
  const attention = new Int32Array(1);
  const start = performance.now();
  const iterations = kernel.run(batch, ms, attention);
  return (iterations * 1_000) / (performance.now() - start);
}

/** The thread of one engine that is measured. */
function main(port: MessagePort, { backend }: BenchData): void {
  const kernel = openKernel(backend);
  const say = (report: BenchReport): void => port.postMessage(report);
  port.on('message', (order: BenchOrder) =>
    say({ kind: 'measured', iterationsPerSecond: measure(kernel, order) }),
  );
  say({ kind: 'ready', lanes: kernel.lanes });
}

main(parentPort!, workerData as BenchData);
