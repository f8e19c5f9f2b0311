import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { BusUnavailableError } from '../../ports/bus.ts';
import { Outbox, PUBLISH_MS } from './outbox.ts';
import { TooLargeError, type Outgoing } from './wire.ts';

const value = (text = 'x'): Buffer => Buffer.from(text);

function openOutbox(produce: (messages: readonly Outgoing[]) => Promise<void>, partitions = 4) {
  let repairs = 0;
  const repair = async (): Promise<void> => {
    repairs++;
  };
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const outbox = new Outbox({ produce, partitions: () => [...Array(partitions).keys()], repair, clock });
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

  test('says why messages are refused until some are taken', async () => {
    let ill = true;
    const { outbox } = openOutbox(async () => {
      if (ill) throw new Error('not enough replicas');
    });
    const publish = async (): Promise<void> => {
      const published = outbox.publish([value()]).catch(() => {});
      await jest.advanceTimersByTimeAsync(PUBLISH_MS + 1);
      await published;
    };
    expect(outbox.trouble()).toBeNull();
    await publish();
    expect(outbox.trouble()).toMatch(/not enough replicas/);
    ill = false;
    while (outbox.trouble() !== null) await publish();
    await outbox.close(false);
  });

  test('forgets a refusal that nobody repeats', async () => {
    const { outbox } = openOutbox(async () => {
      throw new Error('not now');
    });
    const refused = outbox.publish([value()]).catch(() => {});
    await jest.advanceTimersByTimeAsync(PUBLISH_MS + 1);
    await refused;
    expect(outbox.trouble()).not.toBeNull();
    await jest.advanceTimersByTimeAsync(60_001);
    expect(outbox.trouble()).toBeNull();
    await outbox.close(true);
  });

  describe('for a topic that takes 1,000 bytes at once', () => {
    const sent: number[] = [];
    let attempts = 0;
    const openSmall = () =>
      openOutbox(async (messages) => {
        attempts++;
        const bytes = messages.reduce((sum, { value: { length } }) => sum + length, 0);
        if (bytes > 1_000) throw new TooLargeError('too large');
        sent.push(messages.length);
      });
    beforeEach(() => {
      sent.length = 0;
      attempts = 0;
    });

    test('sends a batch of 400 messages in parts, and the next one without trying again', async () => {
      const { outbox } = openSmall();
      const batch = Array.from({ length: 400 }, () => Buffer.alloc(100));
      for (const halvings of [6, 0]) {
        const published = outbox.publish(batch);
        await jest.advanceTimersByTimeAsync(1);
        await published;
        expect(sent.reduce((sum, count) => sum + count, 0)).toBe(400);
        expect(attempts - sent.length).toBe(halvings);
        sent.length = 0;
        attempts = 0;
      }
      await outbox.close(false);
    });

    test('refuses a single message that is too large at once, and sends the others', async () => {
      const { outbox } = openSmall();
      const good = [outbox.publish([value()]), outbox.publish([value()])];
      const large = expect(outbox.publish([Buffer.alloc(2_000)])).rejects.toThrow(/a message is too large/);
      const later = outbox.publish([value()]);
      await jest.advanceTimersByTimeAsync(10);
      await Promise.all([...good, large, later]);
      await outbox.close(false);
    });
  });
});
