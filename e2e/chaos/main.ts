import { parseArgs } from 'node:util';
import { CLUSTER_HELP, clusterCommand, count } from '../scenarios/command.ts';
import { killNine } from './kill-nine.ts';

const KILL_NINE = 'kill-nine';

const HELP = `Does harm to the service at random moments and looks for what was lost.

  npm run chaos -- [${KILL_NINE}] [--rounds 100] [--seed TEXT]
  npm run chaos -- NAME… [--trials 30] [--parallel 3] [--seed TEXT]

  ${KILL_NINE.padEnd(27)}kill -9 of the service in one process, again and again, on the same data

${CLUSTER_HELP}`;

/** EX_USAGE of sysexits.h. */
const USAGE = 64;

async function embedded(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: new Date().toISOString() },
    },
  });
  const rounds = count('rounds', values.rounds);
  console.log(`seed ${values.seed}`);
  const report = await killNine({ rounds, seed: values.seed, say: (line) => console.log(line) });
  console.log(JSON.stringify({ chaos: KILL_NINE, ...report }));
  const faults = [report.lost, report.wrong, report.behindCheckpoint, report.doubled].flat();
  return faults.length === 0 ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const [first = KILL_NINE, ...rest] = args;
  if (args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return 0;
  }
  if (first === KILL_NINE) return embedded(rest);
  if (first.startsWith('-')) return embedded(args);
  const code = await clusterCommand(args);
  if (code === null) console.error(HELP);
  return code ?? USAGE;
}

process.exitCode = await main(process.argv.slice(2));
