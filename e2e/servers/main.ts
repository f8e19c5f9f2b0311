import { NAMES, SharedServers } from './shared.ts';

const HELP = `Real servers for tests, in containers that test runs share.

  node e2e/servers/main.ts need NAME…   start what does not run, and print the addresses as one JSON line
  node e2e/servers/main.ts env          print what runs as assignments for a shell
  node e2e/servers/main.ts down         remove them, and what dead test processes have left

Names: ${NAMES.join(', ')}. They keep their data in memory and stay until \`down\`.
Where Docker cannot be used, \`need\` prints {"skipped":"why"}.`;

const VARIABLES: Readonly<Record<string, string>> = {
  mongodb: 'MONGODB_URI',
  mongodb3: 'MONGODB3_URI',
  kafka: 'KAFKA_BROKERS',
};
/** EX_USAGE of sysexits.h. */
const USAGE = 64;

async function main([command = '--help', ...names]: readonly string[]): Promise<number> {
  const servers = new SharedServers();
  switch (command) {
    case 'need':
      console.log(JSON.stringify(await servers.need(names)));
      return 0;
    case 'env':
      for (const [name, url] of Object.entries(await servers.running()))
        console.log(`export ${VARIABLES[name]!}='${url}'`);
      return 0;
    case 'down':
      for (const name of await servers.remove()) console.log(`removed ${name}`);
      return 0;
    case '--help':
    case '-h':
      console.log(HELP);
      return 0;
    default:
      console.error(`There is no command ${command}.\n\n${HELP}`);
      return USAGE;
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
