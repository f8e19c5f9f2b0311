import { describe, expect, test } from '@jest/globals';
import { settlesWithin } from './deadline.ts';
import { Lifecycle, type Part } from './lifecycle.ts';
import { RecordingLogger } from './testing/recording-logger.ts';

function never(): Promise<never> {
  return Promise.withResolvers<never>().promise;
}

/** A start that says when it has begun, and ends when told. */
function slowStart() {
  const begun = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<undefined>();
  const hook = (): Promise<undefined> => {
    begun.resolve(undefined);
    return ended.promise;
  };
  const end = (): void => {
    ended.resolve(undefined);
  };
  return { hook, begun: begun.promise, end };
}

function setup() {
  const events: string[] = [];
  const logger = new RecordingLogger();
  const part = (name: string, own: Partial<Part> = {}): Part => ({
    name,
    start: () => void events.push(`start ${name}`),
    stop: () => void events.push(`stop ${name}`),
    ...own,
  });
  return { events, logger, part, lifecycle: new Lifecycle(logger, 20) };
}

describe('a lifecycle', () => {
  test('starts in order and stops in reverse', async () => {
    const { events, part, lifecycle } = setup();
    await lifecycle.start([part('a'), part('b'), part('c')]);
    await expect(lifecycle.stop()).resolves.toBe(true);
    expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });

  test('waits for one part before it starts the next', async () => {
    const { events, part, lifecycle } = setup();
    const slow = Promise.withResolvers<undefined>();
    const starting = lifecycle.start([part('slow', { start: () => slow.promise }), part('b')]);
    expect(events).toEqual([]);
    slow.resolve(undefined);
    await starting;
    expect(events).toEqual(['start b']);
  });

  test('stops what was begun when a part fails to start, and throws that error', async () => {
    const { events, part, lifecycle } = setup();
    const broken = part('broken', { start: () => Promise.reject(new Error('no disk')) });
    await expect(lifecycle.start([part('a'), broken, part('c')])).rejects.toThrow('no disk');
    expect(events).toEqual(['start a', 'stop broken', 'stop a']);
  });

  test('stops once, however often it is asked', async () => {
    const { events, part, lifecycle } = setup();
    await lifecycle.start([part('a')]);
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(events).toEqual(['start a', 'stop a']);
  });

  test('does nothing when it is stopped before it started', async () => {
    const { events, part, lifecycle } = setup();
    await expect(lifecycle.stop()).resolves.toBe(true);
    await lifecycle.start([part('a')]);
    expect(events).toEqual([]);
  });

  test('leaves the rest alone when it is stopped while it starts', async () => {
    const { events, part, lifecycle } = setup();
    const { hook, begun, end } = slowStart();
    const starting = lifecycle.start([part('a'), part('slow', { start: hook }), part('c')]);
    await begun;
    const stopping = lifecycle.stop();
    end();
    await Promise.all([starting, stopping]);
    expect(events).toEqual(['start a', 'stop slow', 'stop a']);
  });

  test('stops even when a part never finishes starting', async () => {
    const { events, part, lifecycle } = setup();
    const { hook, begun } = slowStart();
    void lifecycle.start([part('a'), part('hangs', { start: hook })]);
    await begun;
    await expect(lifecycle.stop()).resolves.toBe(true);
    expect(events).toEqual(['start a', 'stop hangs', 'stop a']);
  });

  test.each<[string, Partial<Part>, string]>([
    ['hangs', { stop: never }, 'error Part did not stop in time'],
    ['rejects', { stop: () => Promise.reject(new Error('x')) }, 'error Part failed to stop'],
    [
      'throws',
      {
        stop: () => {
          throw new Error('x');
        },
      },
      'error Part failed to stop',
    ],
  ])('goes on to the next part when one %s on stop, and says so', async (_case, own, line) => {
    const { events, logger, part, lifecycle } = setup();
    await lifecycle.start([part('a'), part('bad', own)]);
    await expect(lifecycle.stop()).resolves.toBe(false);
    expect(events).toEqual(['start a', 'start bad', 'stop a']);
    expect(logger.lines).toEqual([line]);
  });
});

test('a part may have a bound of its own', async () => {
  const { part, logger } = setup();
  const patient = new Lifecycle(logger, 2 ** 31 - 1);
  await patient.start([part('a', { stop: never, stopMs: 1 })]);
  await expect(patient.stop()).resolves.toBe(false);
});

describe('settlesWithin', () => {
  test('is true for work that is done, false for work that is late, and rejects as the work does', async () => {
    await expect(settlesWithin(Promise.resolve(1), 1_000)).resolves.toBe(true);
    await expect(settlesWithin(never(), 1)).resolves.toBe(false);
    await expect(settlesWithin(Promise.reject(new Error('no')), 1_000)).rejects.toThrow('no');
  });
});
