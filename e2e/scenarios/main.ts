import { parseArgs } from 'node:util';
import { Reference } from '../audit/job-mix.ts';
import { closeServers, startServers, type Servers } from './cluster.ts';
import { campaignLine, isClean, runCampaign } from './campaign.ts';
import { removePatchedBuilds, patchedBuild } from './patched-build.ts';
import { SCENARIOS } from './registry.ts';
import type { Scenario } from './scenario.ts';

const HELP = `Does harm to a cluster of endpoints and workers on MongoDB and Kafka, and looks for what was lost.

  node e2e/scenarios/main.ts SCENARIO… [--trials 30] [--seed TEXT] [--parallel 3]

${SCENARIOS.map(({ name, says }) => `  ${name.padEnd(17)} ${says}`).join('\n')}
  ${'all'.padEnd(17)} all of these, one after the other

Ends with one JSON line per scenario; figures are the least, the middle and the most of all trials. The exit code is 1
when a trial was not clean. Needs Docker.`;

/** MongoDB's own: figures of how long an election takes are to be those of an ordinary set. */
const ELECTION_MS = 10_000;
/** EX_USAGE of sysexits.h. */
const USAGE = 64;

interface Options {
  readonly trials: number;
  readonly parallel: number;
  readonly seed: string;
}

async function run(scenarios: readonly Scenario[], options: Options): Promise<boolean> {
  const reference = await Reference.make();
  const servers = await startServers('chaos', ELECTION_MS);
  try {
    let clean = true;
    const lines: string[] = [];
    for (const scenario of scenarios) {
      const line = await runOne(scenario, servers, reference, options);
      clean &&= line.clean;
      lines.push(line.text);
    }
    for (const line of lines) console.log(line);
    return clean;
  } finally {
    await closeServers(servers);
    await removePatchedBuilds();
  }
}

async function runOne(
  scenario: Scenario,
  servers: Servers,
  reference: Reference,
  options: Options,
): Promise<{ clean: boolean; text: string }> {
  const bin = await patchedBuild('product', []);
  const odd = scenario.oddWorker ? { oddBin: await patchedBuild(scenario.name, scenario.oddWorker) } : {};
  const report = await runCampaign({
    ...{ ...options, scenario, servers, reference, bin, ...odd },
    say: (line) => console.error(line),
  });
  const { reports, failures } = report;
  const clean = failures.length === 0 && reports.length === options.trials && reports.every(isClean);
  return { clean, text: JSON.stringify(campaignLine(scenario.name, options.seed, report)) };
}

function count(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} takes a whole number from 1, not ${value}`);
  return number;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      trials: { type: 'string', default: '30' },
      parallel: { type: 'string', default: '3' },
      seed: { type: 'string', default: new Date().toISOString() },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const chosen = positionals.includes('all')
    ? SCENARIOS
    : SCENARIOS.filter(({ name }) => positionals.includes(name));
  if (values.help || chosen.length === 0) {
    console.log(HELP);
    return values.help ? 0 : USAGE;
  }
  const { seed } = values;
  const options = {
    seed,
    trials: count('trials', values.trials),
    parallel: count('parallel', values.parallel),
  };
  return (await run(chosen, options)) ? 0 : 1;
}

process.exitCode = await main();
