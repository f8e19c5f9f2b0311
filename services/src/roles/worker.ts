import { tmpdir } from 'node:os';
import { systemClock } from '../runtime/system-clock.ts';
import { Worker } from '../worker/worker.ts';
import { newHasher } from './new-hasher.ts';
import { startProcess } from './process.ts';
import type { RunningWorker } from './running.ts';
import { openBus, openStore, storePart } from './servers.ts';
import type { WorkerRole } from './settings.ts';
import { usageReader } from './usage.ts';

/** What a worker has for ending beyond the time that it grants to its jobs, in milliseconds. */
const MARGIN_MS = 5_000;

/**
 * A worker among others, in this process. Resolves when it takes jobs, which it does not before MongoDB is there; Kafka
 * may come later. Rejects with what hinders it, or with the signal's reason when that aborts first.
 */
export async function startWorker(settings: WorkerRole, signal: AbortSignal): Promise<RunningWorker> {
  const { id, drainMs } = settings.worker;
  let hashing = { backend: '', engines: 0 };
  const { adminUrl, stop } = await startProcess(settings.process, signal, async (ground) => {
    const { logger, metrics } = ground.telemetry;
    const clock = systemClock;
    const hasher = newHasher(settings.hashing, logger);
    hashing = hasher.description;
    const store = openStore(settings.mongo, settings.store, ground.telemetry);
    const bus = await openBus(settings.kafka, ground.telemetry, store);
    const worker = new Worker({
      ...{ store, bus, hasher, clock, logger, metrics, settings: settings.worker },
      // It keeps nothing; what could fill up is where everything temporary goes.
      usage: usageReader(clock, hashing.engines, tmpdir()),
      onFault: ground.fault,
    });
    return {
      parts: [
        storePart(store, { logger, signal: ground.signal }),
        // It comes when it comes: nothing depends on it.
        { name: 'bus', start: () => bus.start(), stop: () => bus.stop() },
        {
          name: 'worker',
          start: () => worker.start(),
          stop: () => worker.stop(),
          stopMs: drainMs + MARGIN_MS,
        },
      ],
      // Not for liveness: a worker that starts again finds MongoDB no sooner than one that waits.
      ready: { worker: () => worker.trouble(), store: () => store.trouble() },
      health: { bus: () => bus.trouble(), clock: () => store.clockTrouble() },
      info: () => ({ hashing: { ...hasher.description, ...hasher.load() } }),
    };
  });
  return { url: null, adminUrl, stop, worker: id, backend: hashing.backend, engines: hashing.engines };
}
