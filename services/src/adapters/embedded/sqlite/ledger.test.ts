import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { completionOf, job } from '../../../ports/job-store-conformance-facts.ts';
import { completeOf, openHere, run, submitOf } from '../testing/commands.ts';
import { temporaryFile } from '../testing/kit.ts';
import { COMMANDS } from './commands/index.ts';
import type { OpenStore } from './open.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('a transaction that fails', () => {
  let store: OpenStore;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    const temporary = await temporaryFile();
    ({ remove } = temporary);
    store = openHere(temporary.file);
  });

  afterEach(async () => {
    store.db.close();
    await remove();
  });

  test('leaves no trace, on disk or in memory', () => {
    const [live, ended] = [job('live'), job('ended', 7)];
    run(store, [submitOf([live], false), submitOf([ended], true)]);
    const work = (): never => {
      COMMANDS.submit(store.ledger, submitOf([job('new'), job('other')], false).cells, NOW);
      COMMANDS.submit(store.ledger, submitOf([job('brought', 7)], true).cells, NOW);
      COMMANDS.complete(store.ledger, completeOf([live]).cells, NOW);
      expect(store.ledger.index.mayHave(live.id)).toBe(true);
      throw new Error('the disk is full');
    };
    expect(() => store.ledger.transact(work)).toThrow('the disk is full');
    expect(store.db.isTransaction).toBe(false);
    expect(store.ledger.tally.queued(0)).toEqual({ jobs: 1, iterations: 49_999 });
    const known = [live, ended, job('new'), job('brought', 7)].map(({ id }) =>
      store.ledger.index.mayHave(id),
    );
    expect(known).toEqual([false, true, false, false]);
    expect(store.ledger.load(live.id, NOW).record).toMatchObject({ live: { id: live.id }, result: null });
    expect(run(store, [completeOf([live])])).toEqual([['stored']]);
    expect(store.ledger.load(live.id, NOW).record).toMatchObject({
      live: null,
      result: { digest: completionOf(live).digest },
    });
  });

  test('that SQLite has rolled back by itself is over as well', () => {
    const work = (): never => {
      COMMANDS.submit(store.ledger, submitOf([job('a')], false).cells, NOW);
      store.db.exec('ROLLBACK');
      throw new Error('rolled back');
    };
    expect(() => store.ledger.transact(work)).toThrow('rolled back');
    expect(run(store, [submitOf([job('a')], false)])).toEqual([['created']]);
    expect(store.ledger.tally.live).toBe(1);
  });
});
