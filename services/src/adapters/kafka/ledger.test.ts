import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Ledger, type Span } from './ledger.ts';

describe('a ledger', () => {
  test('has nothing to save before something is committed', () => {
    const ledger = new Ledger(5);
    ledger.handOut(10);
    expect(ledger.unsaved).toBeNull();
  });

  test('moves over what is committed without a gap, in whatever order that comes', () => {
    const ledger = new Ledger(0);
    const [a, b, c] = [ledger.handOut(10), ledger.handOut(20), ledger.handOut(30)];
    ledger.commit(c);
    ledger.commit(b);
    expect(ledger.unsaved).toBeNull();
    ledger.commit(a);
    expect(ledger.unsaved).toBe(30);
  });

  test('hands out again what came back', () => {
    const ledger = new Ledger(0);
    ledger.giveBack(ledger.handOut(10));
    const again = ledger.handOut(15);
    expect(again).toEqual({ from: 0, to: 15 });
    ledger.commit(again);
    expect(ledger.unsaved).toBe(15);
  });

  test('takes a commit of what came back and was handed out anew in other parts', () => {
    const ledger = new Ledger(0);
    const whole = ledger.handOut(10);
    ledger.giveBack(whole);
    const part = ledger.handOut(4);
    ledger.commit(whole);
    ledger.commit(part);
    expect(ledger.unsaved).toBe(10);
  });

  test('has nothing to save when Kafka knows', () => {
    const ledger = new Ledger(0);
    ledger.commit(ledger.handOut(10));
    ledger.saved(10);
    expect(ledger.unsaved).toBeNull();
    ledger.saved(7);
    expect(ledger.unsaved).toBeNull();
  });

  test('never covers what is not committed, and covers everything before it', () => {
    const length = fc.integer({ min: 1, max: 5 });
    const parts = fc.array(fc.record({ length, key: fc.integer(), commits: fc.boolean() }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(parts, (all) => {
        const ledger = new Ledger(0);
        let end = 0;
        const spans = all.map(({ length: size }): Span => ledger.handOut((end += size)));
        const order = all.map((_, at) => at).toSorted((a, b) => all[a]!.key - all[b]!.key);
        for (const at of order) if (all[at]!.commits) ledger.commit(spans[at]!);
        const gap = all.findIndex(({ commits }) => !commits);
        const low = gap < 0 ? end : spans[gap]!.from;
        expect(ledger.unsaved).toBe(low === 0 ? null : low);
      }),
    );
  });
});
