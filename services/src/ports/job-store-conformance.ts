import { afterEach, describe } from '@jest/globals';
import { DEFAULT_RETENTION_MS } from '../jobs/limits.ts';
import { describeCancel } from './job-store-conformance-cancel.ts';
import { describeDamage } from './job-store-conformance-damage.ts';
import type { StoreAbilities, StoreSetup, StoreSuite, StoreUnderTest } from './job-store-conformance-kit.ts';
import { describeClients } from './job-store-conformance-clients.ts';
import { describeLeases } from './job-store-conformance-leases.ts';
import { describeList } from './job-store-conformance-list.ts';
import { describeModel } from './job-store-conformance-model.ts';
import { describeRaces } from './job-store-conformance-races.ts';
import { describeReuse } from './job-store-conformance-reuse.ts';
import { describeSubmit } from './job-store-conformance-submit.ts';
import { describeWork } from './job-store-conformance-work.ts';
import type { StoreOptions } from './job-store.ts';

export type { StoreAbilities, StoreSetup, StoreUnderTest } from './job-store-conformance-kit.ts';

/** What stores are opened with, unless a test says otherwise. */
const OPTIONS: StoreOptions = {
  retentionMs: DEFAULT_RETENTION_MS,
  sharedCache: true,
  reuseIterations: 1_000,
};

/**
 * What every `JobStore` has to do, whatever it is made of. `setup` gives a started store over nothing: an empty file, a
 * database of its own on a server that others use too. Nothing here depends on how long anything takes.
 */
export function describeJobStore(title: string, setup: StoreSetup, abilities: StoreAbilities): void {
  describe(title, () => {
    const opened: StoreUnderTest[] = [];
    const suite: StoreSuite = {
      abilities,
      async open(options) {
        const found = await setup({ ...OPTIONS, ...options });
        opened.push(found);
        return found;
      },
    };
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    });

    describeSubmit(suite);
    describeReuse(suite);
    describeWork(suite);
    describeCancel(suite);
    describeLeases(suite);
    describeList(suite);
    describeClients(suite);
    describeDamage(suite);
    describeModel(suite);
    describeRaces(suite);
  });
}
