import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { historyArbitrary } from './job-store-conformance-history.ts';
import type { StoreSuite } from './job-store-conformance-kit.ts';
import { Witness } from './job-store-conformance-witness.ts';

/** Lanes of events that happen at the same time. */
const LANES = 4;

/** Random histories of several clients at once: no order is expected, but what holds in every order is. */
export function describeRaces(suite: StoreSuite): void {
  describe('any histories at the same time', () => {
    test.each([{ cancels: false }, { cancels: true }])(
      'lose nothing, end nothing twice and turn nothing back, with cancellations: $cancels',
      async ({ cancels }) => {
        const events = historyArbitrary({ ...suite.abilities, time: false, reopen: false });
        const lanes = fc.array(events, { minLength: LANES, maxLength: LANES });
        const property = fc.asyncProperty(lanes, async (histories) => {
          const under = await suite.open({ reuseIterations: 900 });
          const another = (await under.another?.()) ?? under.store;
          const witness = new Witness(cancels);
          await Promise.all(
            histories.map((history, lane) => witness.live(lane % 2 === 0 ? under.store : another, history)),
          );
          await witness.conclude(another);
          await under.close();
        });
        const numRuns = Math.ceil(suite.abilities.histories / 2);
        await fc.assert(property, { numRuns, endOnFailure: true });
      },
      600_000,
    );
  });
}
