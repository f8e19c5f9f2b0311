import { Option, type Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { countParser } from '../parse.ts';
import { examples, type Registry } from '../registry.ts';
import { isLoopback, launch, sessionLaunchOptions } from '../launch.ts';
import type { LaunchFlags } from '../launch-options.ts';
import type { Session } from '../session.ts';
import { DEFAULT_ADMIN_PORT, DEFAULT_HOST, DEFAULT_PORT } from '../settings.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../../runtime/log-settings.ts';
import { BACKENDS } from '../../ports/hasher.ts';

/** Waits until the signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function start(session: Session, flags: LaunchFlags): Promise<ExitCode> {
  const { output } = session;
  const options = sessionLaunchOptions(session, flags, 'info');
  for (const host of new Set([options.host, options.adminHost])) {
    if (isLoopback(host)) continue;
    output.note(
      `Warning: ${host} can be reached from other machines, and whoever reaches it may submit and cancel jobs.`,
    );
  }
  const service = await launch(session, options);
  try {
    output.line(service.readyLine, service.ready);
    await untilAborted(session.signal);
    output.note(
      'Draining: work is checkpointed. Once more Ctrl-C ends it at once; nothing acknowledged is lost.',
    );
  } finally {
    await service.stop();
  }
  return EXIT.ok;
}

/** Options of every command that runs a service. */
export function addServiceOptions(command: Command, dataDir: string): Command {
  const port = countParser('A port', 0, 65_535);
  const engines = countParser('The number of engines', 1, 1_024);
  return command
    .option('--host <address>', `the address to listen on; ${DEFAULT_HOST} unless told (env: LISTEN_HOST)`)
    .addOption(
      new Option(
        '-p, --port <port>',
        `the port of the API; ${DEFAULT_PORT} unless told, 0: any (env: LISTEN_PORT)`,
      ).argParser(port),
    )
    .option(
      '--admin-host <address>',
      `the address of probes and metrics; ${DEFAULT_HOST} unless told (env: ADMIN_HOST)`,
    )
    .addOption(
      new Option(
        '--admin-port <port>',
        `the port of probes and metrics; ${DEFAULT_ADMIN_PORT} unless told, 0: any (env: ADMIN_PORT)`,
      ).argParser(port),
    )
    .option('--data <directory>', 'where jobs and results are kept (env: HASHCLUSTER_DATA)', dataDir)
    .addOption(
      new Option('--engines <n>', 'engines (threads that hash); one per core unless told').argParser(engines),
    )
    .addOption(
      new Option(
        '--backend <name>',
        'what to hash with (env: HASH_BACKEND); the fastest unless told',
      ).choices(BACKENDS),
    )
    .addOption(new Option('--log-level <level>', 'how much is logged (env: LOG_LEVEL)').choices(LOG_LEVELS))
    .addOption(
      new Option(
        '--log-format <format>',
        'pretty on a terminal, json elsewhere, unless told (env: LOG_FORMAT)',
      ).choices(LOG_FORMATS),
    );
}

/** `hashcluster start` */
export function addStart({ program, run, dataDir }: Registry): void {
  addServiceOptions(program.command('start'), dataDir)
    .summary('run a service on this machine')
    .description(
      'Runs endpoint and worker in one process, on every core, and keeps jobs and results in a directory. ' +
        'Listens on this machine only unless told otherwise. Ctrl-C drains; jobs that have not ended go on at the next start.',
    )
    .addHelpText(
      'after',
      examples([
        ['hashcluster start', 'on http://127.0.0.1:5000'],
        ['hashcluster start --port 8080 --data ./data --engines 2', 'another port and directory, two cores'],
        ['hashcluster start --log-format json --log-level warn', 'for a process manager'],
      ]),
    )
    .action(run(start));
}
