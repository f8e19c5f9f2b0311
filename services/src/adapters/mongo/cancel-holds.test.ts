import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobFacts } from '../../jobs/job.ts';
import { completionOf, job, stateOfJob, TENANT } from '../../ports/job-store-conformance-facts.ts';
import { completeBatch } from './store/complete.ts';
import type { Context } from './store/context.ts';
import { cancelBatch } from './store/end.ts';
import { interrupted } from './testing/crash.ts';
import { dropDatabase, newDatabase, OPTIONS, testStore } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

suite(`a cancellation and a result at the same time${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const opened = testStore(place);
  const { store, link, time } = opened;

  beforeAll(() => store.start());
  afterAll(async () => {
    await store.stop();
    await dropDatabase(place);
  });

  const now = <T>(act: (context: Context) => Promise<T>): Promise<T> =>
    link.run((collections) => act({ ...collections, ...OPTIONS, time }));

  const cancel = async (context: Context, { id }: JobFacts): Promise<boolean> =>
    (await cancelBatch(context, TENANT, [id]))[0]!.cancelled;
  const complete = (context: Context, facts: JobFacts): Promise<unknown> =>
    completeBatch(context, [completionOf(facts)]);

  /** What a reader sees before, between and after, where `other` comes before command number `commands` of `act`. */
  async function meeting(commands: number, first: 'cancel' | 'complete') {
    const facts = job(`${first} first, ${commands}`);
    await store.submit([facts]);
    await store.claim('w', { ids: [facts.id] });
    const seen: string[] = [];
    const look = async (): Promise<void> => void seen.push(await stateOfJob(store, facts));
    let cancelled = false;
    const does = {
      cancel: async (context: Context): Promise<void> => void (cancelled = await cancel(context, facts)),
      complete: (context: Context) => complete(context, facts),
    };
    const happened = await interrupted(commands, opened, {
      act: does[first],
      other: async () => {
        await look();
        await now(does[first === 'cancel' ? 'complete' : 'cancel']);
        await look();
      },
    });
    await look();
    await store.sweep({ forgottenAfterMs: 1e9, limit: 1_000 });
    await look();
    return { happened, cancelled, seen };
  }

  test.each(['cancel', 'complete'] as const)(
    'agree whichever is first at every command of %s: what was answered holds, and readers see one end',
    async (first) => {
      for (let commands = 0; ; commands++) {
        const { happened, cancelled, seen } = await meeting(commands, first);
        if (!happened) break;
        const end = cancelled ? 'cancelled' : 'done';
        expect({ commands, seen, end: seen.at(-1) }).toMatchObject({ commands, end });
        const ended = seen.filter((state) => state === 'done' || state === 'cancelled');
        expect({ commands, ended: [...new Set(ended)] }).toEqual({ commands, ended: [end] });
      }
    },
    120_000,
  );
});
