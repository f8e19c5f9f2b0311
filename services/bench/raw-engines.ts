import { chainOf } from '../src/jobs/digest.ts';
import { newHasher } from '../src/roles/new-hasher.ts';
import { createLogger } from '../src/runtime/logger.ts';

/** Iterations per second of all engines on `chains` chains of `iterations` each, from the first to the last. */
export async function rawRate(chains: number, iterations: number): Promise<number> {
  const logger = createLogger({ service: 'bench', level: 'silent', format: 'json', stream: 'stderr' });
  const pool = newHasher({ backend: null, engines: null }, logger);
  let left = chains;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const finished = (batch: readonly unknown[]): void => {
    left -= batch.length;
    if (left === 0) end();
  };
  const fault = (error: Error): never => {
    throw error;
  };
  await pool.start({ progress: () => {}, finished, fault });
  const start = performance.now();
  pool.add(
    Array.from({ length: chains }, (_, i) => ({
      ...{ key: String(i), position: 1, digest: chainOf(`raw ${i}`), target: iterations },
    })),
  );
  await ended;
  const seconds = (performance.now() - start) / 1_000;
  await pool.stop();
  logger.close();
  return (chains * (iterations - 1)) / seconds;
}
