import { campaignLine, isClean, runCampaign, type CampaignOptions } from './campaign.ts';
import type { Mutant } from './mutants.ts';
import { patchedBuild } from './patched-build.ts';

/** The audit has to find a mutant within so many trials. */
export const MOST_TRIALS = 20;

export interface HuntReport {
  readonly mutant: string;
  /** The trial that gave it away; null: none did. */
  readonly caughtInTrial: number | null;
  readonly rules: readonly string[];
  readonly example: string | null;
  /** Trials of what the mutant is compared with, in which the audit found nothing; null: nothing was tried. */
  readonly controlClean: boolean | null;
  readonly failures: readonly string[];
}

export type HuntOptions = Pick<CampaignOptions, 'servers' | 'reference' | 'seed' | 'say' | 'trials'>;

/** Runs a mutant until the audit finds what is wrong with it, and once what it is compared with. */
export async function hunt(mutant: Mutant, options: HuntOptions): Promise<HuntReport> {
  const { scenario, breaks, control } = mutant;
  const own = { ...options, scenario, parallel: 1 };
  const bin = await patchedBuild(mutant.name, mutant.patches);
  const found = await runCampaign({
    ...own,
    bin,
    seed: `${options.seed}/${mutant.name}`,
    enough: ({ violations }) => violations.some(({ rule }) => breaks.includes(rule)),
  });
  const last = found.reports.at(-1)?.violations.filter(({ rule }) => breaks.includes(rule)) ?? [];
  return {
    mutant: mutant.name,
    caughtInTrial: last.length > 0 ? found.reports.length + found.failures.length : null,
    rules: [...new Set(last.map(({ rule }) => rule))],
    example: last[0]?.what ?? null,
    controlClean: control ? await controlled(mutant, own) : null,
    failures: found.failures.map(({ error }) => error),
  };
}

async function controlled(
  { name, control = [] }: Mutant,
  options: Omit<CampaignOptions, 'bin'>,
): Promise<boolean> {
  const bin = await patchedBuild(`${name}-control`, control);
  const report = await runCampaign({
    ...options,
    bin,
    trials: 1,
    seed: `${options.seed}/control of ${name}`,
  });
  const clean = report.failures.length === 0 && report.reports.every(isClean);
  if (!clean) options.say(JSON.stringify(campaignLine(`control of ${name}`, options.seed, report)));
  return clean;
}
