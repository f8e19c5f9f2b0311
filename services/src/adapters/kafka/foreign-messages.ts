import type { Topic } from '../../jobs/messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';

/** Between two lines in the log about the same topic, and for how long after the last message it counts as a fault; milliseconds. */
const QUIET_MS = 60_000;

/** Counts messages about jobs of another database, and says so: two clusters share the topics, or one has two databases. */
export class ForeignMessages {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #counter: Counter;
  /** When each topic was logged last, and how many messages have been dropped since. */
  readonly #topics = new Map<Topic, { loggedAt: number; count: number }>();
  #last: { readonly topic: Topic; readonly databaseId: string; readonly at: number } | null = null;

  constructor(logger: Logger, clock: Clock, counter: Counter) {
    this.#logger = logger;
    this.#clock = clock;
    this.#counter = counter;
  }

  /** @param own the id of our database */
  found(topic: Topic, databaseId: string, own: string): void {
    this.#counter.add(1, { topic });
    const now = this.#clock.monotonic();
    this.#last = { topic, databaseId, at: now };
    const known = this.#topics.get(topic) ?? { loggedAt: -Infinity, count: 0 };
    this.#topics.set(topic, known);
    known.count++;
    if (now - known.loggedAt < QUIET_MS) return;
    this.#logger.warn(
      'Messages of another database arrive, and are dropped: another cluster uses the same KAFKA_TOPIC_PREFIX, or a process another MONGODB_DATABASE',
      { topic, databaseId, own, count: known.count },
    );
    known.loggedAt = now;
    known.count = 0;
  }

  /** What is wrong while such messages arrive; null when none has for a minute. */
  trouble(): string | null {
    if (this.#last === null || this.#clock.monotonic() - this.#last.at > QUIET_MS) return null;
    const { topic, databaseId } = this.#last;
    return `messages of another database (${databaseId}) arrive on ${topic}: another cluster uses the same topic prefix, or a process another database`;
  }
}
