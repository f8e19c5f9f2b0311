import { afterEach, describe, expect, test } from '@jest/globals';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import { BusUnavailableError, type Bus } from '../ports/bus.ts';
import { Listener } from './listener.ts';
import { RecordingLogger } from './testing/recording-logger.ts';

const CANCEL = { kind: 'cancel', id: 'a' } as const;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A bus that can be subscribed to only after so many attempts, and a listener to it. */
async function setup(failures: number) {
  const logger = new RecordingLogger();
  const memory = createMemoryBus({ logger });
  await memory.start();
  closing.push(() => memory.stop());
  let left = failures;
  const bus = {
    subscribe: (...given: Parameters<Bus['subscribe']>) =>
      left-- > 0 ? Promise.reject(new BusUnavailableError('away')) : memory.subscribe(...given),
  } as unknown as Bus;
  const heard: string[] = [];
  const first = Promise.withResolvers<void>();
  const listener = new Listener({
    ...{ bus, logger, topic: 'control', group: null, maxBatch: 10 },
    handler: ({ messages }) => {
      heard.push(...messages.map(({ id }) => id));
      first.resolve();
      return Promise.resolve();
    },
  });
  closing.push(() => listener.close());
  return { memory, logger, listener, heard, first: first.promise };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a listener', () => {
  test('hears, once the first attempt is over', async () => {
    const { memory, listener, first, heard } = await setup(0);
    await listener.start();
    expect(listener.listening).toBe(true);
    await memory.publish('control', [CANCEL]);
    await first;
    expect(heard).toEqual(['a']);
  });

  test('is not waited for while the bus is away, and hears when it has come; the log says so once', async () => {
    const { memory, logger, listener, first } = await setup(2);
    await listener.start();
    expect(listener.listening).toBe(false);
    await until(() => listener.listening);
    await memory.publish('control', [CANCEL]);
    await first;
    const told = logger.records.map(({ message }) => message);
    expect(told).toEqual(['A topic cannot be listened to yet', 'A topic is listened to at last']);
  });

  test('that was paused before the bus came is paused then', async () => {
    const { memory, listener, first, heard } = await setup(1);
    listener.pause();
    void listener.start();
    await until(() => listener.listening);
    await memory.publish('control', [CANCEL]);
    expect(heard).toEqual([]);
    listener.resume();
    await first;
  });

  test('that is closed does not try any more, and closing twice does nothing', async () => {
    const { listener, logger } = await setup(Infinity);
    await listener.start();
    await listener.close();
    await listener.close();
    expect(listener.listening).toBe(false);
    expect(logger.records.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
