import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isClean } from './campaign.ts';
import { MUTANTS } from './mutants.ts';
import { SCENARIOS } from './registry.ts';
import { CLUSTER_TROUBLE, Stage } from './testing.ts';

const MUTANT_TRIALS = 4;
const LIMIT_MS = 600_000;

const scenarios = SCENARIOS.filter(({ sharesServers }) => !sharesServers);
const mutants = MUTANTS.filter(({ scenario }) => !scenario.sharesServers);

(CLUSTER_TROUBLE === null ? describe : describe.skip)('harm to the servers of a cluster', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.start('server-faults');
  }, LIMIT_MS);
  afterAll(() => stage.close(), LIMIT_MS);

  test.each(scenarios.map((scenario) => [scenario.says, scenario] as const))(
    '%s (needs Docker)',
    async (_, scenario) => {
      const { reports, failures } = await stage.harm(scenario);
      expect(failures).toEqual([]);
      expect(reports.filter((report) => !isClean(report))).toEqual([]);
    },
    LIMIT_MS,
  );

  test.each(mutants.map((mutant) => [mutant.says, mutant] as const))(
    'the audit notices when %s (needs Docker)',
    async (_, mutant) => {
      const found = await stage.hunt(mutant, MUTANT_TRIALS);
      expect(found.caughtInTrial).not.toBeNull();
    },
    LIMIT_MS,
  );
});
