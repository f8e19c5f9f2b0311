import type { Topic } from '../jobs/messages.ts';
import type { Handler, Subscription } from '../ports/bus.ts';
import { settlesWithin } from '../runtime/deadline.ts';
import { retry } from '../runtime/retry.ts';
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
}

/** Messages handled at once. */
const MAX_MESSAGES = 1_000;
/** Calls that are broken off may take this long to notice. */
const LAST_CALLS_MS = 1_000;
const SUBSCRIBE_FIRST_MS = 200;
const SUBSCRIBE_LONGEST_MS = 10_000;

class HttpEndpoint implements Endpoint {
  readonly #core: Core;
  readonly #app: App;
  readonly #server: HttpServer;
  readonly #stopped = new AbortController();
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
    await Promise.all([
      this.#subscribe('results', async ({ messages }) => {
        workers.ended(messages.map(({ id }) => id));
        await watchers.ended(messages);
      }),
      this.#subscribe('alive', ({ messages }) => {
        for (const alive of messages) {
          workers.heard(alive);
          watchers.moved(alive.positions);
        }
        return Promise.resolve();
      }),
    ]);
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

  async #drain(): Promise<void> {
    const running = this.#state === 'running';
    this.#state = 'stopped';
    this.#stopped.abort(new Error('the endpoint is stopping'));
    const { deps, waiters, watchers, sweeper, store, submitter, announcements } = this.#core;
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
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
    this.#app.stop();
    if (running) logger.info('The endpoint has stopped', { clean });
  }

  /** Listens to a topic. When the bus is away, again and again in the background: nothing depends on it. */
  async #subscribe<T extends Topic>(topic: T, handler: Handler<T>): Promise<void> {
    const { bus, logger } = this.#core.deps;
    const attempt = async (): Promise<void> => {
      const subscription = await bus.subscribe(topic, { group: null, maxBatch: MAX_MESSAGES }, handler);
      if (this.#stopped.signal.aborted) await subscription.close();
      else this.#subscriptions.push(subscription);
    };
    try {
      await attempt();
    } catch (error) {
      logger.warn('A topic cannot be listened to yet', { topic, error });
      void this.#keepSubscribing(topic, attempt);
    }
  }

  async #keepSubscribing(topic: Topic, attempt: () => Promise<void>): Promise<void> {
    const { logger, clock } = this.#core.deps;
    try {
      await retry(attempt, {
        budgetMs: Infinity,
        baseMs: SUBSCRIBE_FIRST_MS,
        capMs: SUBSCRIBE_LONGEST_MS,
        signal: this.#stopped.signal,
        clock,
      });
      logger.info('A topic is listened to at last', { topic });
    } catch (error) {
      if (!this.#stopped.signal.aborted) logger.error('A topic is not listened to', { topic, error });
    }
  }
}

/** Makes an endpoint; nothing is started. */
export function createEndpoint(deps: EndpointDeps): Endpoint {
  return new HttpEndpoint(deps);
}
