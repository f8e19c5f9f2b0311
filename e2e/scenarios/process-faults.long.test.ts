import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isClean } from './campaign.ts';
import { MUTANTS } from './mutants.ts';
import { SCENARIOS } from './registry.ts';
import type { Scenario } from './scenario.ts';
import { CLUSTER_TROUBLE, Pool, Stage } from './testing.ts';

/** Trials wait more than they compute. */
const AT_ONCE = 3;
const MUTANT_TRIALS = 4;
const LIMIT_MS = 900_000;

const isTested = ({ sharesServers, campaignOnly = false }: Scenario): boolean =>
  sharesServers && !campaignOnly;
const shared = SCENARIOS.filter(isTested);
const scenarios = shared.filter(({ needs = null }) => needs === null);
const lacking = shared.filter(({ needs = null }) => needs !== null);
const mutants = MUTANTS.filter(({ scenario }) => isTested(scenario) && (scenario.needs ?? null) === null);

for (const { says, needs } of lacking) {
  test.skip(`${says} (${needs})`, () => undefined);
}

(CLUSTER_TROUBLE === null ? describe : describe.skip)('harm to single processes of a cluster', () => {
  let stage: Stage;
  let pool: Pool<unknown>;
  beforeAll(async () => {
    stage = await Stage.start('process-faults');
    pool = new Pool<unknown>(AT_ONCE, [
      ...mutants.map((mutant) => [mutant.name, () => stage.hunt(mutant, MUTANT_TRIALS)] as const),
      ...scenarios.map((scenario) => [scenario.name, () => stage.harm(scenario)] as const),
    ]);
  }, LIMIT_MS);
  afterAll(() => stage.close(), LIMIT_MS);

  test.each(scenarios.map((scenario) => [scenario.says, scenario.name]))(
    '%s (needs Docker)',
    async (_, name) => {
      const { reports, failures } = (await pool.result(name)) as Awaited<ReturnType<Stage['harm']>>;
      expect(failures).toEqual([]);
      expect(reports.filter((report) => !isClean(report))).toEqual([]);
    },
    LIMIT_MS,
  );

  test.each(mutants.map((mutant) => [mutant.says, mutant.name]))(
    'the audit notices when %s (needs Docker)',
    async (_, name) => {
      const found = (await pool.result(name)) as Awaited<ReturnType<Stage['hunt']>>;
      expect(found.caughtInTrial).not.toBeNull();
      expect(found.controlClean).not.toBe(false);
    },
    LIMIT_MS,
  );
});
