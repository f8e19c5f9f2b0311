import { createEndpoint, type Endpoint } from '../endpoint/endpoint.ts';
import { originOf } from '../runtime/origin.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { withinFileLimit } from './file-limit.ts';
import { newInlineHasher } from './new-hasher.ts';
import { startProcess } from './process.ts';
import type { RunningEndpoint } from './running.ts';
import { openBus, openBusServers, openStore, storePart } from './servers.ts';
import type { EndpointRole } from './settings.ts';

/** What an endpoint has for ending beyond the time that it grants to requests, in milliseconds. */
const MARGIN_MS = 5_000;

/**
 * An endpoint among others, in this process. Resolves when it answers, which it does not before MongoDB does; Kafka may
 * come later. Rejects with what hinders it, or with the signal's reason when that aborts first.
 */
export async function startEndpoint(settings: EndpointRole, signal: AbortSignal): Promise<RunningEndpoint> {
  const { served } = settings;
  let endpoint: Endpoint | null = null;
  const { adminUrl, stop } = await startProcess(settings.process, signal, async (ground) => {
    const { logger, metrics, tracer } = ground.telemetry;
    const store = openStore(settings.mongo, settings.store, ground.telemetry);
    const bus = await openBus(settings.kafka, ground.telemetry, store);
    const busServers = await openBusServers(settings.kafka);
    const inline = newInlineHasher(settings.backend);
    const made = createEndpoint({
      ...{ store, bus, busServers, inline, clock: systemClock, logger, metrics, tracer },
      settings: withinFileLimit(served, logger),
    });
    endpoint = made;
    return {
      parts: [
        storePart(store, { logger, signal: ground.signal }),
        // It comes when it comes: nothing depends on it.
        { name: 'bus', start: () => bus.start(), stop: () => bus.stop() },
        {
          name: 'endpoint',
          start: () => made.start(),
          stop: () => made.stop(),
          stopMs: served.drainMs + MARGIN_MS,
        },
      ],
      ready: { endpoint: () => made.trouble(), store: () => store.trouble() },
      health: { bus: () => bus.trouble(), clock: () => store.clockTrouble() },
      info: () => ({ hashing: { backend: inline.backend } }),
    };
  });
  return { url: originOf(served.host, endpoint!.address()!.port), adminUrl, stop };
}
