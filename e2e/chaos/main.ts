import { parseArgs } from 'node:util';
import { killNine } from './kill-nine.ts';

const HELP = `Kills the service at random moments and looks for what was lost.

  npm run chaos -- [--rounds 100] [--seed TEXT]

Ends with one JSON line; the exit code is 1 when a job was lost, wrong, behind its checkpoint, or doubled.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: new Date().toISOString() },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds takes a whole number from 1, not ${values.rounds}`);
  console.log(`seed ${values.seed}`);
  const report = await killNine({ rounds, seed: values.seed, say: (line) => console.log(line) });
  console.log(JSON.stringify({ chaos: 'kill-nine', ...report }));
  const faults = [report.lost, report.wrong, report.behindCheckpoint, report.doubled].flat();
  process.exitCode = faults.length === 0 ? 0 : 1;
}

await main();
