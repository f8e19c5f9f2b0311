import { systemClock } from '../../runtime/system-clock.ts';
import { createEndpoint, type Endpoint, type EndpointDeps } from '../endpoint.ts';
import { endpointSettings, type EndpointSettings } from '../settings.ts';
import { MemoryLogger, MemoryMetrics, MemoryTracer, PlainInlineHasher } from './doubles.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryStore } from './memory-store.ts';

/** Everything an endpoint needs, in memory. */
export interface TestDeps extends EndpointDeps {
  readonly store: MemoryStore;
  readonly bus: MemoryBus;
  readonly inline: PlainInlineHasher;
  readonly logger: MemoryLogger;
  readonly metrics: MemoryMetrics;
  readonly tracer: MemoryTracer;
}

/** Parts for one test. Listens on a free port of the loopback. */
export function testDeps(settings: Partial<EndpointSettings> = {}): TestDeps {
  return {
    store: new MemoryStore(systemClock),
    bus: new MemoryBus(),
    busServers: null,
    inline: new PlainInlineHasher(),
    clock: systemClock,
    logger: new MemoryLogger(),
    metrics: new MemoryMetrics(),
    tracer: new MemoryTracer(false),
    settings: endpointSettings(
      {},
      { port: 0, allowedHosts: ['x'], version: '1.2.3', id: 'test', drainMs: 2_000, ...settings },
    ),
  };
}

/** An endpoint that listens. */
export interface Running extends TestDeps {
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly url: string;
}

/** Starts endpoints, and stops them whatever becomes of the tests. */
export class TestEndpoints {
  readonly #endpoints: Endpoint[] = [];

  async start(settings: Partial<EndpointSettings> = {}, deps = testDeps(settings)): Promise<Running> {
    const endpoint = createEndpoint(deps);
    this.#endpoints.push(endpoint);
    await endpoint.start();
    const { port } = endpoint.address()!;
    return { ...deps, endpoint, port, url: `http://127.0.0.1:${port}` };
  }

  /** For `afterEach` and `afterAll`. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#endpoints.splice(0).map((endpoint) => endpoint.stop()));
  }
}

/** Resolves when the condition holds; rejects when it does not within five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
