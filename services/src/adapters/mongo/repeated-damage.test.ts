import { expect, test } from '@jest/globals';
import { computed, job, TENANT } from '../../ports/job-store-conformance-facts.ts';
import { StoreUnavailableError } from '../../ports/job-store.ts';
import { readRecords } from './store/end.ts';
import { dropDatabase, newDatabase, OPTIONS, testStore, withDatabase } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';
import { tamper } from './testing/tamper.ts';

const server = await needMongo();
const testHere = 'uri' in server ? test : test.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

testHere(
  `reading jobs ends with an error where damaged results cannot be removed${needs}`,
  async () => {
    const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
    let repairs = 0;
    const { store, link, time } = testStore(place);
    await store.start();
    const { id } = job('a');
    await store.submit([computed(job('a'))]);
    await withDatabase(place, (db) => tamper(db, id, 'digest'));
    const onDamaged = (): void => {
      // So that a reader that never gives up ends with this test.
      if (++repairs > 100) throw new Error('repaired again and again');
    };
    const reading = link.run((collections) => {
      // The damaged result stays where it is.
      const results = new Proxy(collections.results, {
        get: (target, name): unknown =>
          name === 'deleteOne'
            ? () => Promise.resolve({ acknowledged: true, deletedCount: 0 })
            : Reflect.get(target, name),
      });
      return readRecords({ ...collections, results, ...OPTIONS, time, onDamaged }, [id]);
    });
    await expect(reading).rejects.toThrow(StoreUnavailableError);
    expect(repairs).toBeLessThan(20);
    expect(await store.get(TENANT, [id])).toMatchObject([{ kind: 'live' }]);
    await store.stop();
    await dropDatabase(place);
  },
  60_000,
);
