import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { BusUnavailableError } from '../../ports/bus.ts';
import { Outbox, PUBLISH_MS } from './outbox.ts';
import type { Outgoing } from './wire.ts';

const value = (text = 'x'): Buffer => Buffer.from(text);

function openOutbox(produce: (messages: readonly Outgoing[]) => Promise<void>, partitions = 4) {
  let repairs = 0;
  const repair = async (): Promise<void> => {
    repairs++;
  };
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const outbox = new Outbox({ produce, partitions: () => partitions, repair, clock });
  return { outbox, repairs: () => repairs };
}

describe('an outbox', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('sends together what is published together, over all partitions', async () => {
    const sent: (readonly Outgoing[])[] = [];
    const { outbox } = openOutbox(async (messages) => void sent.push(messages));
    const published = Promise.all(Array.from({ length: 8 }, () => outbox.publish([value()])));
    await jest.advanceTimersByTimeAsync(1);
    await published;
    expect(sent).toHaveLength(1);
    expect(new Set(sent[0]!.map(({ partition }) => partition)).size).toBe(4);
    await outbox.close(false);
  });

  test('tries again after a failure, and looks after the topic first', async () => {
    let attempts = 0;
    const { outbox, repairs } = openOutbox(async () => {
      if (++attempts < 3) throw new Error('not now');
    });
    const published = outbox.publish([value()]);
    await jest.advanceTimersByTimeAsync(PUBLISH_MS - 1);
    await published;
    expect([attempts, repairs()]).toEqual([3, 2]);
    await outbox.close(false);
  });

  test('refuses in time what cannot be sent, and says why', async () => {
    const { outbox } = openOutbox(async () => {
      throw new Error('the broker is ill');
    });
    const refused = expect(outbox.publish([value()])).rejects.toThrow(/the broker is ill/);
    await jest.advanceTimersByTimeAsync(PUBLISH_MS + 1);
    await refused;
    await outbox.close(true);
  });

  test('refuses in time when there is no answer at all', async () => {
    const { outbox } = openOutbox(() => new Promise(() => {}));
    const refused = expect(outbox.publish([value()])).rejects.toThrow(BusUnavailableError);
    await jest.advanceTimersByTimeAsync(PUBLISH_MS + 1);
    await refused;
    await outbox.close(true);
  });

  test('keeps no more than so many', async () => {
    const { outbox } = openOutbox(() => new Promise(() => {}));
    const many = outbox.publish(Array.from({ length: 100_000 }, () => value())).catch(() => {});
    await expect(outbox.publish([value()])).rejects.toThrow(/100000 messages wait/);
    const closed = outbox.close(true);
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all([closed, many]);
  });

  test('sends no more at once than a broker takes', async () => {
    const sizes: number[] = [];
    const { outbox } = openOutbox(async (messages) => {
      sizes.push(messages.reduce((sum, { value: { length } }) => sum + length, 0));
    }, 1);
    const large = Array.from({ length: 30 }, () => Buffer.alloc(100_000));
    const published = outbox.publish(large);
    await jest.advanceTimersByTimeAsync(100);
    await published;
    expect(Math.max(...sizes)).toBeLessThan(1 << 20);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3_000_000);
    await outbox.close(false);
  });

  test('what waits at the end still goes out, and nothing is taken any more', async () => {
    let sent = 0;
    const { outbox } = openOutbox(async (messages) => {
      sent += messages.length;
    });
    const published = outbox.publish([value(), value()]);
    const closed = outbox.close(false);
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all([published, closed]);
    expect(sent).toBe(2);
    await expect(outbox.publish([value()])).rejects.toThrow(BusUnavailableError);
  });
});
