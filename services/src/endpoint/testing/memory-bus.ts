import type { Topic, Topics } from '../../jobs/messages.ts';
import {
  BusUnavailableError,
  type Bus,
  type Handler,
  type SubscribeOptions,
  type Subscription,
} from '../../ports/bus.ts';

type AnyHandler = (messages: readonly unknown[]) => Promise<void>;

/** A bus in memory, for tests: remembers what was published, and can be away. */
export class MemoryBus implements Bus {
  readonly published: { readonly topic: Topic; readonly message: unknown }[] = [];
  /** Whether the bus is away, for publishers and for subscribers. */
  away = false;
  readonly #handlers = new Map<Topic, Set<AnyHandler>>();

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): Promise<void> {
    await Promise.resolve();
    if (this.away) throw new BusUnavailableError('the bus is away');
    for (const message of messages) this.published.push({ topic, message });
    await Promise.all([...(this.#handlers.get(topic) ?? [])].map((handler) => handler(messages)));
  }

  subscribe<T extends Topic>(
    topic: T,
    _options: SubscribeOptions,
    handler: Handler<T>,
  ): Promise<Subscription> {
    if (this.away) return Promise.reject(new BusUnavailableError('the bus is away'));
    const run: AnyHandler = (messages) =>
      handler({ messages: messages as readonly Topics[T][], commit: () => Promise.resolve() });
    const handlers = this.#handlers.get(topic) ?? new Set<AnyHandler>();
    this.#handlers.set(topic, handlers.add(run));
    return Promise.resolve({
      pause: () => undefined,
      resume: () => undefined,
      close: () => {
        handlers.delete(run);
        return Promise.resolve();
      },
    });
  }

  trouble(): string | null {
    return this.away ? 'the bus is away' : null;
  }

  /** Who listens to a topic. */
  listeners(topic: Topic): number {
    return this.#handlers.get(topic)?.size ?? 0;
  }

  /** The messages of a topic so far. */
  messages<T extends Topic>(topic: T): Topics[T][] {
    return this.published.filter((entry) => entry.topic === topic).map(({ message }) => message as Topics[T]);
  }
}
