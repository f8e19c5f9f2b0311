import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { OPTIONS } from '../testing/kit.ts';
import { createReuseIndex, MIGRATIONS } from './schema.ts';
import { statementTexts } from './statements.ts';

/** Tables that grow with use. `workers` and `settled_until` stay small. */
const GROWING = /\bSCAN (jobs|results|settled|r|s)\b/;

function emptyDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  for (const step of MIGRATIONS) db.exec(step);
  db.exec(createReuseIndex(OPTIONS.reuseIterations));
  return db;
}

function planOf(db: DatabaseSync, text: string): string[] {
  return db
    .prepare(`EXPLAIN QUERY PLAN ${text}`)
    .all()
    .map(({ detail }) => String(detail));
}

describe.each([{ sharedCache: true }, { sharedCache: false }])(
  'with sharedCache $sharedCache',
  ({ sharedCache }) => {
    const texts = Object.entries(statementTexts({ ...OPTIONS, sharedCache }));

    test.each(texts)('%s reads no growing table from end to end', (_name, text) => {
      const plan = planOf(emptyDatabase(), text);
      expect(plan.filter((step) => GROWING.test(step))).toEqual([]);
    });

    test.each(texts.filter(([name]) => !['listRunning', 'resultsSince'].includes(name)))(
      '%s sorts nothing',
      (_name, text) => {
        expect(planOf(emptyDatabase(), text).filter((step) => step.includes('TEMP B-TREE'))).toEqual([]);
      },
    );
  },
);

test('a statement that does read a table from end to end would be seen', () => {
  expect(planOf(emptyDatabase(), 'SELECT id FROM results WHERE worker = ?')).toEqual([
    expect.stringMatching(GROWING),
  ]);
});
