import { CLUSTER_HELP, clusterCommand } from './command.ts';

/** EX_USAGE of sysexits.h. */
const USAGE = 64;

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(`  node e2e/scenarios/main.ts NAME… [options]\n\n${CLUSTER_HELP}`);
    return 0;
  }
  const code = await clusterCommand(args);
  if (code === null) console.error(CLUSTER_HELP);
  return code ?? USAGE;
}

process.exitCode = await main(process.argv.slice(2));
