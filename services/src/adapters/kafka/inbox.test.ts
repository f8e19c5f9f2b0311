import { describe, expect, test } from '@jest/globals';
import { Inbox } from './inbox.ts';
import type { Incoming } from './wire.ts';

/** Messages are numbers in text; everything else is bad. */
function openInbox() {
  const bad: [number, number][] = [];
  const decode = (value: Buffer | null): number | null => {
    const number = value === null ? Number.NaN : Number(value.toString());
    return Number.isInteger(number) ? number : null;
  };
  return { inbox: new Inbox<number>(decode, (...at) => bad.push(at)), bad };
}

const at = (offset: number, text = String(offset)): Incoming => ({ offset, value: Buffer.from(text) });
const run = (from: number, count: number): Incoming[] =>
  Array.from({ length: count }, (_, i) => at(from + i));

describe('an inbox', () => {
  test('fills a batch from several partitions, each in its order', () => {
    const { inbox } = openInbox();
    inbox.put(0, run(0, 3));
    inbox.put(1, run(10, 3));
    expect(inbox.take(4)!.messages).toHaveLength(4);
    const rest = inbox.take(4)!.messages;
    expect(rest).toHaveLength(2);
    expect(inbox.size).toBe(0);
    expect(inbox.take(4)).toBeNull();
  });

  test('begins with another partition each time', () => {
    const { inbox } = openInbox();
    inbox.put(0, run(0, 10));
    inbox.put(1, run(100, 10));
    const firsts = [1, 2, 3, 4].map(() => inbox.take(1)!.messages[0]!);
    expect(firsts.filter((each) => each < 100)).toHaveLength(2);
  });

  test.each<[string, number[], number, number[]]>([
    ['all have more than enough', [100, 100, 100, 100], 40, [10, 10, 10, 10]],
    ['one has little', [100, 3, 100], 33, [15, 3, 15]],
    ['less is wanted than there are', [5, 5, 5], 2, [1, 1, 0]],
    ['all of it is wanted', [4, 0, 7], 100, [4, 0, 7]],
  ])('takes the same share of each partition when %s', (_, sizes, most, shares) => {
    const { inbox } = openInbox();
    for (const [partition, size] of sizes.entries()) inbox.put(partition, run(partition * 1_000, size));
    const { messages } = inbox.take(most)!;
    const taken = sizes.map((_size, i) => messages.filter((each) => Math.floor(each / 1_000) === i).length);
    expect(taken).toEqual(shares);
  });

  test('hands out what was published first within a batch of its turn, also from many partitions', () => {
    const { inbox } = openInbox();
    const [partitions, each, most] = [16, 500, 64];
    // As an outbox deals them: message n goes to partition n modulo 16.
    for (let p = 0; p < partitions; p++) {
      const dealt = Array.from({ length: each }, (_, i) => at(i, String(i * partitions + p)));
      inbox.put(p, dealt);
    }
    let taken = 0;
    for (let held = inbox.take(most); held; held = inbox.take(most)) {
      for (const number of held.messages) expect(Math.abs(number - taken)).toBeLessThan(2 * most);
      taken += held.messages.length;
    }
    expect(taken).toBe(partitions * each);
  });

  test('skips what is no message, and goes on after it', () => {
    const { inbox, bad } = openInbox();
    inbox.put(0, [at(4), { offset: 5, value: null }, at(6, 'x'), at(7)]);
    expect(inbox.take(10)!.messages).toEqual([4, 7]);
    expect(bad).toEqual([
      [0, 5],
      [0, 6],
    ]);
    expect(inbox.position(0)).toBe(8);
  });

  test('covers what it skipped with the next commit', () => {
    const { inbox } = openInbox();
    inbox.put(0, [at(0), at(1, 'x'), at(2)]);
    inbox.commit(inbox.take(10)!);
    expect(inbox.unsaved()).toEqual(new Map([[0, 3]]));
  });

  test('gives again what came back, before what follows', () => {
    const { inbox } = openInbox();
    inbox.put(0, run(0, 4));
    inbox.giveBack(inbox.take(2)!);
    expect(inbox.take(3)!.messages).toEqual([0, 1, 2]);
  });

  test('forgets partitions that are not ours any more, also what is in hand of them', () => {
    const { inbox } = openInbox();
    inbox.put(0, run(0, 2));
    inbox.put(1, run(0, 2));
    const held = inbox.take(4)!;
    inbox.keep([1]);
    inbox.giveBack(held);
    expect(inbox.size).toBe(2);
    inbox.commit(inbox.take(4)!);
    expect(inbox.unsaved()).toEqual(new Map([[1, 2]]));
  });

  test('does not take a commit of before for one of after', () => {
    const { inbox } = openInbox();
    inbox.put(0, run(0, 5));
    const before = inbox.take(5)!;
    inbox.keep([]);
    inbox.seek(0, 2);
    inbox.commit(before);
    expect(inbox.unsaved()).toEqual(new Map());
  });

  test('begins anew where offsets go back: the topic is another one', () => {
    const { inbox } = openInbox();
    inbox.put(0, run(100, 3));
    inbox.put(0, run(0, 2));
    expect(inbox.take(10)!.messages).toEqual([0, 1]);
    expect(inbox.position(0)).toBe(2);
  });
});
