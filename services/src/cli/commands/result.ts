import { hasEnded } from '../api.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseJobId } from '../parse.ts';
import { examples, maxWaitOption, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { awaitEnd, reportEnd, stillRunning } from '../waiting.ts';

interface ResultOptions {
  readonly wait?: boolean;
  readonly maxWait?: number;
}

async function result(session: Session, options: ResultOptions, [id]: readonly string[]): Promise<ExitCode> {
  const job = await session.client().job(id!);
  if (hasEnded(job.state)) return reportEnd(session, job, false);
  if (!options.wait && options.maxWait === undefined) throw stillRunning(job, null);
  return reportEnd(session, await awaitEnd(session, job, { maxWaitMs: options.maxWait }), false);
}

/** `hashcluster result ID [--wait]` */
export function addResult({ program, run }: Registry): void {
  program
    .command('result')
    .summary('print the digest of a job')
    .description(
      'Prints the digest of a job that is done. Exit code 75 while it is not, unless told to wait.',
    )
    .argument('<id>', 'the job', parseJobId)
    .option('-w, --wait', 'wait for the end')
    .addOption(maxWaitOption())
    .addHelpText(
      'after',
      examples([
        ['hashcluster result 0123456789abcdefghjkmnpqrs', 'the digest, 128 hexadecimal characters'],
        ['hashcluster result 0123456789abcdefghjkmnpqrs --wait', 'as soon as there is one'],
      ]),
    )
    .action(run(result));
}
