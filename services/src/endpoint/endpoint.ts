import type { Topic } from '../jobs/messages.ts';
import type { Handler, Subscription } from '../ports/bus.ts';
import { settlesWithin } from '../runtime/deadline.ts';
import { Listener } from '../runtime/listener.ts';
import { createApp, type App } from './app.ts';
import { createCore, type Core, type EndpointDeps } from './core.ts';
import { registerGauges } from './gauges.ts';
import { HttpServer } from './server.ts';

export type { EndpointDeps } from './core.ts';

/** The HTTP side of the service. Keeps nothing: any number can run, and any of them can die. */
export interface Endpoint {
  /** Listens. Rejects when the address cannot be had. Idempotent. */
  start(): Promise<void>;
  /**
   * Drains: new requests are turned away, those under way are finished within `drainMs`, clients that wait are told how
   * things stand, event streams end. Idempotent.
   */
  stop(): Promise<void>;
  /** Where it listens; null while it does not. */
  address(): { readonly host: string; readonly port: number } | null;
  /** Null when requests can be served; otherwise why not, for readiness and logs. */
  trouble(): string | null;
  /** Workers whose heartbeats arrive, and that take jobs. */
  liveWorkers(): number;
}

/** Messages handled at once. */
const MAX_MESSAGES = 1_000;
/** Calls that are broken off may take this long to notice. */
const LAST_CALLS_MS = 1_000;
/** The first attempt to listen to the bus may take this long before requests are served without it. */
const LISTEN_MS = 2_000;

class HttpEndpoint implements Endpoint {
  readonly #core: Core;
  readonly #app: App;
  readonly #server: HttpServer;
  readonly #subscriptions: Subscription[] = [];
  #state: 'new' | 'running' | 'stopped' = 'new';
  #stopping: Promise<void> | null = null;

  constructor(deps: EndpointDeps) {
    this.#core = createCore(deps);
    this.#app = createApp(this.#core);
    const { clock, logger, settings } = deps;
    this.#server = new HttpServer({
      handle: this.#app.handle,
      clock,
      logger,
      shed: this.#core.shed,
      settings,
    });
    registerGauges(this.#core, this.#app.streams);
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    const { watchers, sweeper, workers, deps } = this.#core;
    try {
      await this.#server.listen();
    } catch (error) {
      this.#state = 'stopped';
      throw error;
    }
    const listening = Promise.all([
      this.#listen('results', async ({ messages }) => {
        workers.ended(messages.map(({ id }) => id));
        await watchers.ended(messages);
      }),
      this.#listen('alive', ({ messages }) => {
        for (const alive of messages) {
          workers.heard(alive);
          watchers.moved(alive.positions);
        }
        return Promise.resolve();
      }),
    ]);
    await settlesWithin(listening, LISTEN_MS);
    watchers.start();
    sweeper.start();
    this.#app.streams.start();
    deps.logger.info('The endpoint listens', { ...this.#server.address(), endpoint: this.#core.identity.id });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  address(): { readonly host: string; readonly port: number } | null {
    return this.#server.address();
  }

  trouble(): string | null {
    if (this.#state === 'new') return 'the endpoint is not started yet';
    if (this.#state === 'stopped') return 'the endpoint is stopping';
    return this.#core.store.trouble();
  }

  liveWorkers(): number {
    return this.#core.workers.totals().live;
  }

  async #drain(): Promise<void> {
    const running = this.#state === 'running';
    this.#state = 'stopped';
    const { deps, waiters, watchers, sweeper, store, submitter, announcements, busView } = this.#core;
    const { logger, settings, clock } = deps;
    const end = clock.monotonic() + settings.drainMs;
    const left = (): number => Math.max(0, end - clock.monotonic());
    this.#app.refuseAll();
    waiters.release();
    this.#app.streams.stop();
    const clean = await this.#server.close(left());
    const parts = Promise.all([submitter.idle(), watchers.stop(), sweeper.stop()]);
    await settlesWithin(parts, left());
    store.stop();
    await settlesWithin(
      parts.then(() => announcements.settled()),
      left() + LAST_CALLS_MS,
    );
    const closing = this.#subscriptions.map((subscription) => subscription.close());
    await settlesWithin(Promise.all([...closing, busView.idle()]), left() + LAST_CALLS_MS);
    this.#app.stop();
    if (running) logger.info('The endpoint has stopped', { clean });
  }

  /** Listens to a topic as soon as the bus allows it. Resolves when that has been tried once. */
  #listen<T extends Topic>(topic: T, handler: Handler<T>): Promise<void> {
    const { bus, logger } = this.#core.deps;
    const listener = new Listener({ bus, logger, topic, group: null, maxBatch: MAX_MESSAGES, handler });
    this.#subscriptions.push(listener);
    return listener.start();
  }
}

/** Makes an endpoint; nothing is started. */
export function createEndpoint(deps: EndpointDeps): Endpoint {
  return new HttpEndpoint(deps);
}
