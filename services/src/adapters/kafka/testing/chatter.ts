import { dispatch } from '../../../ports/bus-conformance-kit.ts';
import type { Logger } from '../../../ports/logger.ts';
import { createKafkaBus } from '../kafka-bus.ts';
import type { KafkaClientName } from '../options.ts';

/**
 * A process that publishes numbers, one after the other, and listens to them as a member of a group and as a subscriber
 * to everything: `node chatter.ts CLIENT BROKERS PREFIX`. It prints how far it is as JSON lines, and stops at the end of
 * its input, by itself: what keeps it alive then has not been closed.
 */

export interface Chat {
  /** The number that was tried and the one that was published last; the largest that each of the two has heard of. */
  readonly attempted: number;
  readonly published: number;
  readonly grouped: number;
  readonly all: number;
  readonly refused: number;
  /** The longest that a call to publish has taken, in milliseconds. */
  readonly longestMs: number;
  readonly trouble: string | null;
  /** What was logged so far, but for debugging. */
  readonly log: readonly string[];
}

const PUBLISH_EVERY_MS = 20;
const TELL_EVERY_MS = 50;
const AGAIN_MS = 100;
const GROUP = 'chatter';

const [client, broker, topicPrefix] = process.argv.slice(2);
const log: string[] = [];
const note =
  (level: string) =>
  (message: string): void => {
    log.push(`${level} ${message}`);
  };
const logger: Logger = {
  debug: () => {},
  info: note('info'),
  warn: note('warn'),
  error: note('error'),
  child: () => logger,
};
const bus = createKafkaBus({
  client: client as KafkaClientName,
  brokers: broker!.split(','),
  clientId: 'chatter',
  topicPrefix: topicPrefix!,
  partitions: 4,
  replication: 1,
  logger,
});
const state = { attempted: 0, published: 0, grouped: 0, all: 0, refused: 0, longestMs: 0 };
const over = new AbortController();

async function talk(): Promise<void> {
  for (let number = 1; !over.signal.aborted; number++) {
    const begin = performance.now();
    state.attempted = number;
    try {
      await bus.publish('jobs.1', [dispatch(number)]);
      state.published = number;
    } catch {
      state.refused++;
    }
    state.longestMs = Math.max(state.longestMs, performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS));
  }
}

async function listen(key: 'grouped' | 'all', group: string | null): Promise<void> {
  while (!over.signal.aborted) {
    try {
      await bus.subscribe('jobs.1', { group, maxBatch: 100 }, async ({ messages, commit }) => {
        state[key] = Math.max(state[key], ...messages.map(({ cost }) => cost));
        await commit();
      });
      return;
    } catch {
      state.refused++;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

await bus.start();
const telling = setInterval(() => {
  process.stdout.write(`${JSON.stringify({ ...state, trouble: bus.trouble(), log } satisfies Chat)}\n`);
}, TELL_EVERY_MS);
const work = Promise.all([talk(), listen('grouped', GROUP), listen('all', null)]);
for await (const _ of process.stdin);
over.abort();
await work;
await bus.stop();
clearInterval(telling);
