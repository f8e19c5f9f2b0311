import { TOPICS, type Topic, type Topics } from '../../jobs/messages.ts';
import {
  BusUnavailableError,
  type Bus,
  type Handler,
  type SubscribeOptions,
  type Subscription,
} from '../../ports/bus.ts';
import { settlesWithin } from '../../runtime/deadline.ts';
import { noopMetrics } from '../../runtime/noop-telemetry.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { BadMessages } from './bad-messages.ts';
import { busMetrics, type BusMetrics } from './bus-metrics.ts';
import { decode, encode } from './codec.ts';
import { Feed } from './feed.ts';
import { ForeignMessages } from './foreign-messages.ts';
import { Health } from './health.ts';
import type { KafkaBusOptions } from './options.ts';
import { Outbox, PUBLISH_MS } from './outbox.ts';
import { TopicKeeper } from './topic-keeper.ts';
import { topicName, topicSpecs } from './topic-specs.ts';
import { reasonOf, within } from './within.ts';
import type { Wire } from './wire.ts';

/** `start` waits so long for Kafka; milliseconds. */
const START_MS = 5_000;
/** A subscriber to everything is told within this time whether it will get everything. */
const SUBSCRIBE_MS = 8_000;
const CLOSE_MS = 5_000;

/** What there is between `start` and `stop`. */
interface Running {
  readonly wire: Wire;
  readonly topics: TopicKeeper;
  readonly health: Health;
  readonly outboxes: ReadonlyMap<Topic, Outbox>;
  readonly feeds: Set<Feed<unknown>>;
}

/** A bus on Kafka; nothing is started. */
export function createKafkaBus(options: KafkaBusOptions): Bus {
  return new KafkaBus(options);
}

class KafkaBus implements Bus {
  readonly #options: Required<KafkaBusOptions>;
  readonly #metrics: BusMetrics;
  readonly #bad: BadMessages;
  readonly #foreign: ForeignMessages;
  #running: Running | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: KafkaBusOptions) {
    const defaults = { tls: null, sasl: null, metrics: noopMetrics, clock: systemClock };
    this.#options = { ...defaults, databaseId: () => null, ...options };
    const { logger, clock } = this.#options;
    this.#metrics = busMetrics(this.#options.metrics);
    this.#bad = new BadMessages(logger, clock, this.#metrics.bad);
    this.#foreign = new ForeignMessages(logger, clock, this.#metrics.foreign);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    await this.#stopping;
    const { logger, clock } = this.#options;
    const health = new Health(logger, clock);
    const wire = await openWire(this.#options);
    const topics = new TopicKeeper({ wire, specs: topicSpecs(this.#options), health, logger });
    const outboxes = new Map(TOPICS.map((topic) => [topic, this.#outbox(topic, wire, topics)]));
    this.#running = { wire, topics, health, outboxes, feeds: new Set() };
    topics.start();
    await settlesWithin(topics.check(), START_MS).catch(() => {});
  }

  #outbox(topic: Topic, wire: Wire, topics: TopicKeeper): Outbox {
    const name = topicName(this.#options.topicPrefix, topic);
    return new Outbox({
      // eslint-disable-next-line house/deadline -- the outbox waits for it no longer than `PUBLISH_MS`
      produce: (messages) => wire.produce(name, messages),
      partitions: () => topics.led(name),
      repair: () => topics.check(),
      clock: this.#options.clock,
    });
  }

  stop(): Promise<void> {
    if (!this.#starting) return this.#stopping ?? Promise.resolve();
    const starting = this.#starting;
    this.#starting = null;
    this.#stopping = starting.then(() => this.#stop());
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    const { wire, topics, health, outboxes, feeds } = running;
    // Handlers publish what they have found while they are waited for.
    await Promise.all([...feeds].map((feed) => feed.close()));
    this.#running = null;
    await Promise.all([...outboxes.values()].map((outbox) => outbox.close(health.downMs > 0)));
    const stopped = topics.stop();
    await settlesWithin(wire.close(), CLOSE_MS).catch(() => {});
    await settlesWithin(stopped, CLOSE_MS);
  }

  async publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): Promise<void> {
    const { outboxes, health, topics } = this.#mustRun();
    if (messages.length === 0) return;
    const { published, refused } = this.#metrics;
    try {
      refuseWhenAway(health);
      this.#refuseWhenUnusable(topics, topic);
      const databaseId = this.#options.databaseId();
      await outboxes.get(topic)!.publish(messages.map((message) => encode(message, databaseId)));
      published.add(messages.length, { topic });
    } catch (error) {
      refused.add(messages.length, { topic });
      throw error;
    }
  }

  async subscribe<T extends Topic>(
    topic: T,
    options: SubscribeOptions,
    handler: Handler<T>,
  ): Promise<Subscription> {
    const { feeds, health } = this.#mustRun();
    this.#mustBeOpen();
    if (options.group === null) refuseWhenAway(health);
    const feed = this.#feed(topic, options, handler);
    try {
      await within(feed.start(), SUBSCRIBE_MS, 'Kafka');
      this.#mustBeOpen();
    } catch (error) {
      void feed.close();
      if (error instanceof BusUnavailableError) throw error;
      throw new BusUnavailableError(`${topic} cannot be listened to: ${reasonOf(error)}`, { cause: error });
    }
    feeds.add(feed as Feed<unknown>);
    return {
      pause: () => feed.pause(),
      resume: () => feed.resume(),
      close: async () => {
        await feed.close();
        feeds.delete(feed as Feed<unknown>);
      },
    };
  }

  #feed<T extends Topic>(topic: T, options: SubscribeOptions, handler: Handler<T>): Feed<Topics[T]> {
    const { wire, topics } = this.#mustRun();
    const { topicPrefix, client, logger, clock } = this.#options;
    const { group, maxBatch } = options;
    return new Feed<Topics[T]>({
      wire,
      topics,
      topic: topicName(topicPrefix, topic),
      // A group of its own for each topic, so that members come and go without disturbing other topics; and for each
      // client, since members of a group have to agree on how partitions are shared out.
      group: group === null ? null : `${topicPrefix}${group}.${topic}.${client}`,
      maxBatch,
      decode: (value) => this.#decode(topic, value),
      handle: (messages, commit) => handler({ messages, commit }),
      logger: logger.child({ topic, group }),
      clock,
      onBad: (partition, offset) => this.#bad.found(topic, partition, offset),
      onDelivered: (count) => this.#metrics.delivered.add(count, { topic }),
      onBroken: () => this.#metrics.broken.add(1, { topic }),
    });
  }

  #decode<T extends Topic>(topic: T, value: Buffer | null): Topics[T] | null | undefined {
    const databaseId = this.#options.databaseId();
    const onForeign = (other: string): void => this.#foreign.found(topic, other, databaseId!);
    return decode(topic, value, { databaseId, onForeign });
  }

  trouble(): string | null {
    if (!this.#running) return 'the bus is not started';
    const { health, outboxes, feeds } = this.#running;
    if (health.trouble !== null) return health.trouble;
    for (const [topic, outbox] of outboxes) {
      const trouble = outbox.trouble();
      if (trouble !== null) return `${topicName(this.#options.topicPrefix, topic)}: ${trouble}`;
    }
    for (const feed of feeds) {
      const trouble = feed.trouble();
      if (trouble !== null) return trouble;
    }
    return this.#foreign.trouble();
  }

  /** Nobody waits for a topic that is known not to be usable. */
  #refuseWhenUnusable(topics: TopicKeeper, topic: Topic): void {
    const name = topicName(this.#options.topicPrefix, topic);
    if (topics.unusableMs(name) > PUBLISH_MS)
      throw new BusUnavailableError(topics.fault(name) ?? 'not usable');
  }

  #mustBeOpen(): void {
    if (this.#starting === null) throw new BusUnavailableError('the bus is stopping');
  }

  #mustRun(): Running {
    if (!this.#running) throw new BusUnavailableError('the bus is not started');
    return this.#running;
  }
}

/** Known to be away for long: nobody has to wait to hear it. */
function refuseWhenAway(health: Health): void {
  if (health.downMs > PUBLISH_MS) throw new BusUnavailableError(health.trouble ?? 'Kafka is away');
}

/** Only the client that is used is loaded. */
async function openWire(options: Required<KafkaBusOptions>): Promise<Wire> {
  switch (options.client) {
    case 'kafkajs':
      return (await import('./kafkajs/wire.ts')).openKafkajs(options);
    case 'platformatic':
      return (await import('./platformatic/wire.ts')).openPlatformatic(options);
  }
}
