import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../e2e/lib/statistics.ts';
import { createKafkaBus } from '../src/adapters/kafka/kafka-bus.ts';
import type { KafkaClientName } from '../src/adapters/kafka/options.ts';
import { ChatProcess } from '../src/adapters/kafka/testing/chat.ts';
import { Collector, dispatch, dispatches, TOPIC } from '../src/ports/bus-conformance-kit.ts';
import type { Bus, Handler } from '../src/ports/bus.ts';
import { RecordingLogger } from '../src/runtime/testing/recording-logger.ts';

/** One round of one client, in a process of its own: `node kafka-round.ts CLIENT BROKER`. Prints its figures as JSON. */

const PARTITIONS = 16;
const BATCHES = 150;
const BATCH = 1_000;
const BATCHES_IN_FLIGHT = 4;
const SINGLES = 20_000;
const SINGLES_IN_FLIGHT = 64;
const WARM_UP = 200;
const LATENCIES = 1_000;
/** Numbers of messages that are looked for; all others are smaller. */
const MARKS = 1_000_000;

/** The figures of a round, by name. */
export type Figures = Readonly<Record<string, number>>;

class Round {
  readonly #client: KafkaClientName;
  readonly #broker: string;
  readonly #buses: Bus[] = [];

  constructor(client: KafkaClientName, broker: string) {
    this.#client = client;
    this.#broker = broker;
  }

  async run(): Promise<Figures> {
    const joins = await this.#joins();
    const killed = await this.#killed();
    const throughput = await this.#throughput();
    const latency = await this.#latency();
    for (const bus of this.#buses) await bus.stop();
    return { ...joins, ...killed, ...throughput, ...latency, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  }

  async #open(topicPrefix: string): Promise<Bus> {
    const bus = createKafkaBus({
      client: this.#client,
      brokers: [this.#broker],
      clientId: 'bench',
      topicPrefix,
      partitions: PARTITIONS,
      replication: 1,
      logger: new RecordingLogger(),
    });
    await bus.start();
    while (bus.trouble() !== null) await sleep(50);
    this.#buses.push(bus);
    return bus;
  }

  /** Milliseconds until messages come: to the first member, to a second one, and to that one alone when the first leaves. */
  async #joins(): Promise<Figures> {
    const prefix = `bench-${randomUUID()}.`;
    const [bus, other] = [await this.#open(prefix), await this.#open(prefix)];
    const [first, second] = [new Collector(), new Collector()];
    await bus.publish(TOPIC, dispatches(PARTITIONS));
    const options = { group: 'g', maxBatch: BATCH };
    const begin = performance.now();
    const subscription = await bus.subscribe(TOPIC, options, first.handler());
    await first.untilDistinct(PARTITIONS);
    const firstJoinMs = performance.now() - begin;

    const pumping = new AbortController();
    const pump = publishUntil(bus, pumping.signal);
    const joining = performance.now();
    await other.subscribe(TOPIC, options, second.handler());
    await second.untilDistinct(1);
    const secondJoinMs = performance.now() - joining;
    pumping.abort();
    await pump;

    const leaving = performance.now();
    const left = subscription.close();
    await bus.publish(TOPIC, dispatches(PARTITIONS, MARKS));
    await second.until(() => marksIn(second.costs) === PARTITIONS);
    const leaveMs = performance.now() - leaving;
    await left;
    return { firstJoinMs, secondJoinMs, leaveMs };
  }

  /** Milliseconds until what a killed member was listening to comes to the one that is left. */
  async #killed(): Promise<Figures> {
    const prefix = `bench-${randomUUID()}.`;
    const bus = await this.#open(prefix);
    const got = new Collector();
    await bus.subscribe(TOPIC, { group: 'chatter', maxBatch: BATCH }, got.handler());
    const chat = new ChatProcess(this.#client, this.#broker, prefix);
    await chat.until(({ grouped }) => grouped > 10);
    chat.kill();
    const begin = performance.now();
    await bus.publish(TOPIC, dispatches(PARTITIONS, MARKS));
    await got.until(() => marksIn(got.costs) === PARTITIONS);
    return { killedMs: performance.now() - begin };
  }

  /** Messages per second, one way after the other, and the processor time of both ends for 100,000 messages. */
  async #throughput(): Promise<Figures> {
    const bus = await this.#open(`bench-${randomUUID()}.`);
    await bus.publish(TOPIC, dispatches(BATCH));
    const messages = dispatches(BATCH);
    const cpu = process.cpuUsage();
    const batchesPerSecond = await rate(BATCHES, BATCHES_IN_FLIGHT, () => bus.publish(TOPIC, messages));
    let count = 0;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const all = (BATCHES + 1) * BATCH;
    const handler: Handler<typeof TOPIC> = async (batch) => {
      await batch.commit();
      count += batch.messages.length;
      if (count >= all) done();
    };
    const begin = performance.now();
    const subscription = await bus.subscribe(TOPIC, { group: 'g', maxBatch: BATCH }, handler);
    await promise;
    const consumedPerSecond = (all * 1_000) / (performance.now() - begin);
    const { user, system } = process.cpuUsage(cpu);
    await subscription.close();
    const single = [dispatch(1)];
    const singlesPerSecond = await rate(SINGLES, SINGLES_IN_FLIGHT, () => bus.publish(TOPIC, single));
    return {
      publishedPerSecond: batchesPerSecond * BATCH,
      consumedPerSecond,
      singlesPerSecond,
      cpuMsPer100k: (user + system) / 1_000 / (all / 100_000),
    };
  }

  /** Milliseconds from a call to publish one message to the handler that gets it, with nothing else going on. */
  async #latency(): Promise<Figures> {
    const bus = await this.#open(`bench-${randomUUID()}.`);
    const figures: Record<string, number> = {};
    for (const [name, group] of [
      ['group', 'g'],
      ['broadcast', null],
    ] as const) {
      let heard = (): void => {};
      const subscription = await bus.subscribe(TOPIC, { group, maxBatch: BATCH }, async (batch) => {
        await batch.commit();
        heard();
      });
      const times: number[] = [];
      for (let i = 0; i < WARM_UP + LATENCIES; i++) {
        const { promise, resolve: done } = Promise.withResolvers<void>();
        heard = done;
        const begin = performance.now();
        void bus.publish(TOPIC, [dispatch(i)]);
        await promise;
        times.push(performance.now() - begin);
      }
      await subscription.close();
      figures[`${name}P50Ms`] = percentile(times.slice(WARM_UP), 0.5);
      figures[`${name}P99Ms`] = percentile(times.slice(WARM_UP), 0.99);
    }
    return figures;
  }
}

const marksIn = (costs: readonly number[]): number =>
  new Set(costs.filter((cost) => cost >= MARKS && cost < MARKS + PARTITIONS)).size;

/** A message for each partition, again and again. */
async function publishUntil(bus: Bus, signal: AbortSignal): Promise<void> {
  for (let next = PARTITIONS + 1; !signal.aborted; next += PARTITIONS) {
    await bus.publish(TOPIC, dispatches(PARTITIONS, next));
    await sleep(5);
  }
}

/** Calls per second, with so many at a time. */
async function rate(calls: number, inFlight: number, call: () => Promise<void>): Promise<number> {
  let left = calls;
  const begin = performance.now();
  const work = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return (calls * 1_000) / (performance.now() - begin);
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const [client, broker] = process.argv.slice(2);
  const figures = await new Round(client as KafkaClientName, broker!).run();
  console.log(JSON.stringify(figures));
}
