import { execFileSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as kit from '../../../ports/job-store-conformance-kit.ts';
import { Child } from '../testing/child.ts';
import { command, completeOf, named, openHere, run, submitOf } from '../testing/commands.ts';
import { openStoreOn, temporaryFile } from '../testing/kit.ts';
import { framesOf } from '../testing/write-ahead-log.ts';
import type { OpenStore } from './open.ts';
import type { Command } from './protocol.ts';

const { job, TENANT } = kit;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function newFile(): Promise<string> {
  const { file, remove } = await temporaryFile();
  cleanups.push(remove);
  return file;
}

function integrityOf(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare('PRAGMA integrity_check').get();
  } finally {
    db.close();
  }
}

describe('a process that is killed', () => {
  test('has not lost anything that it acknowledged, round after round', async () => {
    const file = await newFile();
    const said = new Map<string, string>();
    for (let round = 0; round < 4; round++) {
      const child = new Child('load.ts', [file, String(round)]);
      cleanups.push(() => child.kill());
      await child.untilLines(300 + Math.floor(Math.random() * 700));
      await child.kill();
      for (const line of child.lines) {
        const [word, name] = line.split(' ') as [string, string];
        said.set(name, word);
      }
      const { store } = await openStoreOn(file);
      const names = [...said.keys()];
      const views = await store.get(
        TENANT,
        names.map((name) => job(name).id),
      );
      for (const [at, view] of views.entries()) {
        const facts = job(names[at]!);
        expect(view).not.toBeNull();
        if (view!.kind === 'live') {
          expect(said.get(names[at]!)).toBe('created');
          expect(view).toMatchObject({ job: { ...facts, owner: null } });
        } else if (view!.result.outcome === 'done') {
          expect(view).toMatchObject({
            result: { ...facts, digest: kit.digestAt(facts.chain, facts.iterations) },
          });
        }
        if (said.get(names[at]!) === 'done') expect(view).toMatchObject({ result: { outcome: 'done' } });
        if (said.get(names[at]!) === 'cancelled')
          expect(view).toMatchObject({ result: { outcome: 'cancelled' } });
      }
      expect((await store.backlog()).running).toBe(0);
      await store.stop();
    }
    expect(said.size).toBeGreaterThan(300);
    expect(integrityOf(file)).toEqual({ integrity_check: 'ok' });
  }, 120_000);
});

const NAMES = Array.from({ length: 12 }, (_, number) => `job ${number}`);

/** Groups that move jobs from one table to the other, several of them in each transaction. */
const GROUPS: readonly (readonly Command[])[] = [
  [submitOf(named(NAMES.slice(0, 6)), false)],
  [completeOf(named(NAMES.slice(0, 2))), submitOf(named(NAMES.slice(6, 8)), true)],
  [command('cancel', [TENANT, job('job 2').id, job('job 3').id]), submitOf(named(NAMES.slice(8)), false)],
  [command('checkpoint', ['w', job('job 4').id, 700, kit.digestAt(job('job 4').chain, 700)])],
  [submitOf([job('job 2')], false), completeOf(named(['job 3', 'job 4'])), command('renew', ['w', 10_000])],
  [completeOf(named(NAMES))],
];

function everything(store: OpenStore): unknown {
  return run(store, [command('get', [TENANT, ...named(NAMES).map(({ id }) => id)]), command('backlog', [])]);
}

describe('a crash between any two writes', () => {
  test('leaves all of a transaction or nothing of it', async () => {
    const file = await newFile();
    const store = openHere(file);
    const states = [everything(store)];
    const first = framesOf(file).commits.length;
    for (const group of GROUPS) {
      run(store, group);
      states.push(everything(store));
    }
    const { ends, commits } = framesOf(file);
    expect(commits.length - first).toBe(GROUPS.length);
    // By another process: this one would lose its locks on the file if it opened and closed it.
    execFileSync('cp', [file, `${file}.copy`]);
    execFileSync('cp', [`${file}-wal`, `${file}.copy-wal`]);
    store.db.close();
    const cuts = ends
      .flatMap((end) => [end, end - 1, end - 2_000])
      .filter((cut) => cut >= commits[first - 1]!);
    for (const cut of cuts) {
      const copy = `${file}.cut-${cut}`;
      execFileSync('cp', [`${file}.copy`, copy]);
      execFileSync('cp', [`${file}.copy-wal`, `${copy}-wal`]);
      truncateSync(`${copy}-wal`, cut);
      const left = openHere(copy);
      const whole = commits.filter((end) => end <= cut).length - first;
      expect(everything(left)).toEqual(states[whole]);
      left.db.close();
      expect(integrityOf(copy)).toEqual({ integrity_check: 'ok' });
    }
    expect(cuts.length).toBeGreaterThan(GROUPS.length * 2);
  });
});

describe('a full disk', () => {
  test('refuses what does not fit, keeps the rest, and can be read', async () => {
    const file = await newFile();
    const child = new Child('fill.ts', [file], { fileKib: 2_048 });
    cleanups.push(() => child.kill());
    await child.ended;
    const report = JSON.parse(child.lines[0]!) as { acknowledged: number; listed: number };
    expect(report).toMatchObject({
      name: 'StoreUnavailableError',
      second: 'StoreUnavailableError',
      trouble: expect.stringMatching(/full|disk/i),
      first: 'done',
      logged: ['store cannot do what it is asked'],
    });
    expect(report.listed).toBe(Math.min(1_000, report.acknowledged));
    const { store } = await openStoreOn(file);
    cleanups.push(() => store.stop());
    const views = await store.get(
      TENANT,
      kit.jobs(report.acknowledged, 7).map(({ id }) => id),
    );
    expect(views.filter((view) => view === null)).toEqual([]);
    expect(await store.submit([kit.computed(job('one more'))])).toMatchObject([
      { kind: 'known', fresh: true },
    ]);
    expect(store.trouble()).toBeNull();
  }, 60_000);
});
