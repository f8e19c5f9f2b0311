import type { Topic, Topics } from '../../jobs/messages.ts';
import {
  BusUnavailableError,
  type Bus,
  type Handler,
  type SubscribeOptions,
  type Subscription,
} from '../../ports/bus.ts';
import type { Logger } from '../../ports/logger.ts';
import { Channel } from './bus/channel.ts';

/** Messages that wait for a group, or for a subscriber, at most. An id takes some hundred bytes. */
const MAX_WAITING = 100_000;

export interface MemoryBusOptions {
  readonly logger: Logger;
  /** Beyond this many, messages are dropped and counted. */
  readonly maxWaiting?: number;
}

/**
 * A bus inside one process. A group keeps what it has not committed as long as the bus runs, also while it has no
 * members; of what it has no room for, it keeps the oldest (jobs are claimed in order, and the store knows the rest). A
 * subscriber to everything that cannot keep up gets the newest.
 */
export function createMemoryBus({ logger, maxWaiting = MAX_WAITING }: MemoryBusOptions): Bus {
  return new MemoryBus(logger, maxWaiting);
}

/** What a channel carries is known by its topic; inside it is just messages. */
type AnyChannel = Channel<Topics[Topic]>;

class MemoryBus implements Bus {
  readonly #logger: Logger;
  readonly #maxWaiting: number;
  /** By topic and group. */
  readonly #groups = new Map<Topic, Map<string, AnyChannel>>();
  readonly #broadcasts = new Map<Topic, Set<AnyChannel>>();
  readonly #subscriptions = new Set<Subscription>();
  #running = false;

  constructor(logger: Logger, maxWaiting: number) {
    this.#logger = logger;
    this.#maxWaiting = maxWaiting;
  }

  async start(): Promise<void> {
    this.#running = true;
  }

  /** Waits for handlers that are at work. What waits is forgotten. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all([...this.#subscriptions].map((each) => each.close()));
    this.#groups.clear();
  }

  trouble(): string | null {
    return this.#running ? null : 'the bus is not started';
  }

  async publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): Promise<void> {
    this.#mustRun();
    if (messages.length === 0) return;
    for (const channel of this.#groups.get(topic)?.values() ?? []) channel.offer(messages);
    for (const channel of this.#broadcasts.get(topic) ?? []) channel.offer(messages);
  }

  async subscribe<T extends Topic>(
    topic: T,
    options: SubscribeOptions,
    handler: Handler<T>,
  ): Promise<Subscription> {
    this.#mustRun();
    const { group, maxBatch } = options;
    const logger = this.#logger.child({ topic, group });
    const channel = group === null ? this.#broadcast(topic, logger) : this.#group(topic, group, logger);
    const member = channel.join({
      maxBatch,
      logger,
      commits: group !== null,
      handle: (messages, commit) => handler({ messages: messages as readonly Topics[T][], commit }),
    });
    const subscription: Subscription = {
      pause: () => member.pause(),
      resume: () => member.resume(),
      close: async () => {
        this.#broadcasts.get(topic)?.delete(channel);
        await channel.leave(member);
        this.#subscriptions.delete(subscription);
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  #mustRun(): void {
    if (!this.#running) throw new BusUnavailableError('the bus is not started');
  }

  #group(topic: Topic, group: string, logger: Logger): AnyChannel {
    const groups = this.#groups.get(topic) ?? new Map<string, AnyChannel>();
    this.#groups.set(topic, groups);
    const found = groups.get(group);
    if (found) return found;
    const made: AnyChannel = new Channel({ maxWaiting: this.#maxWaiting, overflow: 'newest', logger });
    groups.set(group, made);
    return made;
  }

  #broadcast(topic: Topic, logger: Logger): AnyChannel {
    const channels = this.#broadcasts.get(topic) ?? new Set<AnyChannel>();
    this.#broadcasts.set(topic, channels);
    const made: AnyChannel = new Channel({ maxWaiting: this.#maxWaiting, overflow: 'oldest', logger });
    channels.add(made);
    return made;
  }
}
