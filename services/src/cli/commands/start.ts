import { EXIT, type ExitCode } from '../exit-codes.ts';
import { launch, sessionLaunchOptions, type Launched } from '../launch.ts';
import type { LaunchFlags } from '../launch-options.ts';
import { examples, type Registry } from '../registry.ts';
import { untilAborted, warnOfOpenHost } from '../role.ts';
import { addDataOption, addServiceOptions } from '../service-options.ts';
import type { Session } from '../session.ts';
import { DEFAULT_HOST } from '../settings.ts';

async function start(session: Session, flags: LaunchFlags): Promise<ExitCode> {
  const { output } = session;
  const options = sessionLaunchOptions(session, flags, 'info');
  for (const host of new Set([options.host, options.adminHost]))
    warnOfOpenHost(session, host, options.logFormat);
  let service: Launched;
  try {
    service = await launch(session, options);
  } catch (error) {
    // Told to stop before it was ready: as asked, as for a service that has drained.
    if (session.signal.aborted) return EXIT.ok;
    throw error;
  }
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

/** `hashcluster start` */
export function addStart({ program, run, dataDir }: Registry): void {
  addDataOption(addServiceOptions(program.command('start'), DEFAULT_HOST), dataDir)
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
