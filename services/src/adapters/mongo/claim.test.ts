import { afterEach, describe, expect, test } from '@jest/globals';
import { DAY_MS, jobs } from '../../ports/job-store-conformance-facts.ts';
import { claimJobs } from './store/claim.ts';
import { stepped } from './testing/crash.ts';
import { dropDatabase, newDatabase, testStore, type TestStore } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const uri = 'uri' in server ? server.uri : '';

suite(`a claim in MongoDB${needs}`, () => {
  const database = newDatabase();
  const opened: TestStore[] = [];
  afterEach(async () => {
    for (const { store } of opened.splice(0)) await store.stop();
    await dropDatabase({ uri, database });
  });

  async function open(): Promise<TestStore> {
    const made = testStore({ uri, database });
    opened.push(made);
    await made.store.start();
    return made;
  }

  test('answers each job once, though a sweep requeues between its looks what it has taken', async () => {
    const { store } = await open();
    const own = await open();
    const facts = jobs(4);
    await store.submit(facts);
    const commands: number[] = [];
    const claimed = await stepped(
      own,
      (context) => claimJobs(context, 'without a lease', { class: 0, limit: 4 }),
      async (command) => {
        commands.push(command);
        // A rival takes one of those that were just read, so that the claim looks once more.
        if (command === 1) await store.claim('a rival', { ids: [facts[0]!.id] });
        // What the first look has taken is back in the queue, and the only thing there.
        if (command === 3) await store.renew('a rival', DAY_MS);
        if (command === 3) await store.sweep({ forgottenAfterMs: DAY_MS, limit: 1_000 });
      },
    );
    expect(commands.length).toBeGreaterThan(4);
    const ids = claimed.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    const owned = await store.owned('without a lease');
    expect(owned.length).toBeGreaterThan(0);
    for (const { id } of owned) expect(ids).toContain(id);
  });
});
