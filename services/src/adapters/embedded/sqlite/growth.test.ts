import { expect, test } from '@jest/globals';
import { job } from '../../../ports/job-store-conformance-facts.ts';
import { command, completeOf, openHere, run, submitOf } from '../testing/commands.ts';
import { temporaryFile } from '../testing/kit.ts';
import { framesOf } from '../testing/write-ahead-log.ts';
import type { OpenStore } from './open.ts';

const BATCH = 1_000;
/** Enough that a plain index by id would be hundreds of pages, each batch touching most of them. */
const HISTORY = 150_000;

/** Pages that each operation writes for a batch of new jobs: what it costs, whatever the machine. */
function pagesOf(store: OpenStore, file: string, round: 'empty' | 'full'): Record<string, number> {
  const facts = Array.from({ length: BATCH }, (_, number) => job(`${round} ${number}`));
  const inline = Array.from({ length: BATCH }, (_, number) => job(`${round} inline ${number}`, 7));
  let before = framesOf(file).ends.length;
  const later = round === 'full' ? HISTORY : 0;
  const pages: Record<string, number> = {};
  const measure = (name: string, work: () => void): void => {
    work();
    const after = framesOf(file).ends.length;
    pages[name] = after - before;
    before = after;
  };
  measure('computed', () => run(store, [submitOf(inline, true)], later));
  measure('created', () => run(store, [submitOf(facts, false)], later));
  measure('claimed', () => run(store, [command('claimOldest', ['worker', 0, BATCH])], later));
  measure('completed', () => run(store, [completeOf(facts)], later));
  return pages;
}

test('a long history makes no operation write much more', async () => {
  const { file, remove } = await temporaryFile();
  let store = openHere(file);
  const empty = pagesOf(store, file, 'empty');
  for (let done = 0; done < HISTORY; done += 5_000) {
    const batch = Array.from({ length: 5_000 }, (_, number) => job(`history ${done + number}`, 7));
    run(store, [submitOf(batch, true)], done);
  }
  // A fresh log, so that its frames can be counted.
  store.db.close();
  store = openHere(file);
  const full = pagesOf(store, file, 'full');
  store.db.close();
  await remove();
  const grown = Object.entries(full).filter(([name, pages]) => pages > 2 * empty[name]!);
  expect(grown).toEqual([]);
}, 120_000);
