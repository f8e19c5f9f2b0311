import { Option, type Command } from 'commander';
import { BACKENDS } from '../ports/hasher.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../runtime/log-settings.ts';
import { countParser } from './parse.ts';
import { DEFAULT_ADMIN_PORT, DEFAULT_PORT } from './settings.ts';

const parsePort = countParser('A port', 0, 65_535);
const parseEngines = countParser('The number of engines', 1, 1_024);

/** Options of every command that runs a service. `host`: where it listens unless told. */
export function addServiceOptions(command: Command, host: string): Command {
  return addLogOptions(addEngineOptions(addAdminOptions(addApiOptions(command, host), host)));
}

/** Where the API listens. */
export function addApiOptions(command: Command, host: string): Command {
  const port = `the port of the API; ${DEFAULT_PORT} unless told, 0: any (env: LISTEN_PORT)`;
  return command
    .option('--host <address>', `the address to listen on; ${host} unless told (env: LISTEN_HOST)`)
    .addOption(new Option('-p, --port <port>', port).argParser(parsePort));
}

/** Where probes and metrics are. */
export function addAdminOptions(command: Command, host: string): Command {
  const port = `the port of probes and metrics; ${DEFAULT_ADMIN_PORT} unless told, 0: any (env: ADMIN_PORT)`;
  return command
    .option(
      '--admin-host <address>',
      `the address of probes and metrics; ${host} unless told (env: ADMIN_HOST)`,
    )
    .addOption(new Option('--admin-port <port>', port).argParser(parsePort));
}

/** What hashes. */
export function addEngineOptions(command: Command): Command {
  const engines = 'engines (threads that hash); one per core unless told (env: HASH_ENGINES)';
  return addBackendOption(command).addOption(new Option('--engines <n>', engines).argParser(parseEngines));
}

export function addBackendOption(command: Command): Command {
  const backend = 'what to hash with; the fastest unless told (env: HASH_BACKEND)';
  return command.addOption(new Option('--backend <name>', backend).choices(BACKENDS));
}

export function addLogOptions(command: Command): Command {
  const format = 'pretty on a terminal, json elsewhere, unless told (env: LOG_FORMAT)';
  return command
    .addOption(new Option('--log-level <level>', 'how much is logged (env: LOG_LEVEL)').choices(LOG_LEVELS))
    .addOption(new Option('--log-format <format>', format).choices(LOG_FORMATS));
}

/** Where a service in one process keeps what it has. */
export function addDataOption(command: Command, dataDir: string): Command {
  return command.option(
    '--data <directory>',
    'where jobs and results are kept (env: HASHCLUSTER_DATA)',
    dataDir,
  );
}
