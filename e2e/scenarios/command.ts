import { parseArgs } from 'node:util';
import { Reference } from '../audit/job-mix.ts';
import { removeContainersAtExit } from '../servers/container.ts';
import { dockerTrouble } from '../servers/docker.ts';
import { campaignLine, isClean, runCampaign } from './campaign.ts';
import { closeServers, startServers, type Servers } from './cluster.ts';
import { hunt, MOST_TRIALS } from './mutant-hunt.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import type { Measurement } from './measure.ts';
import { patchedBuild, removePatchedBuilds, removePatchedBuildsAtExit } from './patched-build.ts';
import { MEASUREMENTS, SCENARIOS } from './registry.ts';
import type { Scenario } from './scenario.ts';

const row = ({ name, says }: { readonly name: string; readonly says: string }): string =>
  `  ${name.padEnd(27)}${says}`;

export const CLUSTER_HELP = `Faults of a cluster of endpoints and workers on MongoDB and Kafka, under load (needs Docker):
${SCENARIOS.map(row).join('\n')}
${row({ name: 'faults', says: 'all of these' })}

Measurements of such a cluster:
${MEASUREMENTS.map(row).join('\n')}

Products that are wrong on purpose, and have to be found out:
${MUTANTS.map(row).join('\n')}
${row({ name: 'mutants', says: 'all of these' })}

  --trials 30   of each fault; of a mutant ${MOST_TRIALS} at most
  --parallel 3  trials at the same time, of faults that leave the servers alone
  --seed TEXT   the same text makes the same jobs and the same harm

Ends with one JSON line for each; figures are the least, the middle and the most of all trials. The exit code is 1 when
something was not as it should be. What was wrong is kept in .cache/chaos.`;

const MAX_PROCESSES = 100;

/** MongoDB's own: figures of how long an election takes are to be those of an ordinary set. */
const ELECTION_MS = 10_000;

interface Options {
  readonly trials: number;
  readonly parallel: number;
  readonly seed: string;
  readonly say: (line: string) => void;
}

interface Ground extends Options {
  readonly servers: Servers;
  readonly reference: Reference;
}

/** One thing to do; its line, and whether all was well. */
type Task = (ground: Ground) => Promise<{ readonly line: object; readonly fine: boolean }>;

/** The tasks of these names, in the order of the help; null when one is not known. */
export function tasksOf(names: readonly string[]): Task[] | null {
  const tasks = new Map<string, Task[]>([
    ...SCENARIOS.map((scenario): [string, Task[]] => [scenario.name, [harm(scenario)]]),
    ...MEASUREMENTS.map((measurement): [string, Task[]] => [measurement.name, [measure(measurement)]]),
    ...MUTANTS.map((mutant): [string, Task[]] => [mutant.name, [find(mutant)]]),
    ['faults', SCENARIOS.map(harm)],
    ['mutants', MUTANTS.map(find)],
  ]);
  if (names.length === 0 || names.some((name) => !tasks.has(name))) return null;
  return names.flatMap((name) => tasks.get(name)!);
}

function harm(scenario: Scenario): Task {
  return async (ground) => {
    const bin = await patchedBuild('product', []);
    const odd = scenario.oddWorker ? { oddBin: await patchedBuild(scenario.name, scenario.oddWorker) } : {};
    const report = await runCampaign({ ...ground, scenario, bin, ...odd });
    const fine =
      report.reports.length === ground.trials &&
      report.reports.every((trial) => isClean(trial) && trial.late.length === 0);
    return { line: campaignLine(scenario.name, ground.seed, report), fine };
  };
}

function measure(measurement: Measurement): Task {
  return async (ground) => {
    const bin = await patchedBuild('product', []);
    const figures = await measurement.run({ ...ground, bin });
    return { line: { measurement: measurement.name, seed: ground.seed, ...figures }, fine: figures.met };
  };
}

function find(mutant: Mutant): Task {
  return async (ground) => {
    const line = await hunt(mutant, { ...ground, trials: Math.min(ground.trials, MOST_TRIALS) });
    return { line, fine: line.caughtInTrial !== null && line.controlClean !== false };
  };
}

/** Does all of it on servers of its own, and prints the lines. Returns the exit code. */
async function perform(tasks: readonly Task[], options: Options): Promise<number> {
  const trouble = await dockerTrouble();
  if (trouble !== null) throw new Error(trouble);
  removeContainersAtExit();
  removePatchedBuildsAtExit();
  const reference = await Reference.make();
  const servers = await startServers('chaos', ELECTION_MS);
  let fine = true;
  try {
    for (const task of tasks) {
      const result = await task({ ...options, servers, reference }).catch((error: unknown) => ({
        fine: false,
        line: { error: String((error as Error).stack) },
      }));
      fine &&= result.fine;
      console.log(JSON.stringify(result.line));
    }
  } finally {
    await closeServers(servers);
    await removePatchedBuilds();
  }
  return fine ? 0 : 1;
}

/** A whole number from 1 of the command line. Throws what is wrong with it. */
export function count(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} takes a whole number from 1, not ${value}`);
  return number;
}

/** `NAME… [--trials N] [--parallel N] [--seed TEXT]`. Returns the exit code; null: there is nothing of that name. */
export async function clusterCommand(args: readonly string[]): Promise<number | null> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      trials: { type: 'string', default: '30' },
      parallel: { type: 'string', default: '3' },
      seed: { type: 'string', default: new Date().toISOString() },
    },
  });
  const tasks = tasksOf(positionals);
  if (!tasks) return null;
  // What it has started ends with it, also when it is told to end: see `startChild`.
  // Each of its processes is waited for by a listener.
  process.setMaxListeners(MAX_PROCESSES);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  return perform(tasks, {
    ...{ trials: count('trials', values.trials), parallel: count('parallel', values.parallel) },
    ...{ seed: values.seed, say: (line) => console.error(line) },
  });
}
