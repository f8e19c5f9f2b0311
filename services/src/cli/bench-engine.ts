import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BackendName } from '../ports/hasher.ts';
import type { BenchData, BenchOrder, BenchReport } from './bench-protocol.ts';

/** A thread that says nothing for this long beyond its order is broken, in milliseconds. */
const GRACE_MS = 20_000;

/** What one backend does on this machine, in iterations per second. */
export interface BackendRates {
  readonly backend: BackendName;
  /** Chains side by side on one core. */
  readonly lanes: number;
  /** One chain alone; one core with full lanes; every engine with full lanes. */
  readonly oneChain: number;
  readonly oneEngine: number;
  readonly allEngines: number;
}

export interface MeasureOptions {
  readonly engines: number;
  /** How long each of the three is measured, in milliseconds. */
  readonly ms: number;
  readonly signal: AbortSignal;
}

async function nextReport(thread: Worker, waitMs: number, signal: AbortSignal): Promise<BenchReport> {
  const limit = AbortSignal.timeout(waitMs + GRACE_MS);
  try {
    const said: unknown[] = await once(thread, 'message', { signal: AbortSignal.any([signal, limit]) });
    return said[0] as BenchReport;
  } catch (error) {
    signal.throwIfAborted();
    throw limit.aborted ? new Error('A bench thread does not answer', { cause: error }) : error;
  }
}

async function rateOf(thread: Worker, order: BenchOrder, signal: AbortSignal): Promise<number> {
  thread.postMessage(order);
  const report = await nextReport(thread, order.ms, signal);
  return report.kind === 'measured' ? report.iterationsPerSecond : 0;
}

/** Measures one backend in threads of its own, which are gone when this settles. */
export async function measureBackend(backend: BackendName, options: MeasureOptions): Promise<BackendRates> {
  const { engines, ms, signal } = options;
  const file = import.meta.url.endsWith('.ts') ? './bench-thread.ts' : './bench-thread.js';
  const workerData: BenchData = { backend };
  const threads = Array.from(
    { length: engines },
    () => new Worker(new URL(file, import.meta.url), { workerData }),
  );
  try {
    const ready = await Promise.all(threads.map((thread) => nextReport(thread, 0, signal)));
    const lanes = ready[0]?.kind === 'ready' ? ready[0].lanes : 1;
    const first = threads[0]!;
    // The processor reaches its pace before anything counts.
    await rateOf(first, { chains: lanes, ms: Math.ceil(ms / 4) }, signal);
    const oneChain = await rateOf(first, { chains: 1, ms }, signal);
    const oneEngine = await rateOf(first, { chains: lanes, ms }, signal);
    const all = await Promise.all(threads.map((thread) => rateOf(thread, { chains: lanes, ms }, signal)));
    return { backend, lanes, oneChain, oneEngine, allEngines: all.reduce((sum, rate) => sum + rate, 0) };
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}
