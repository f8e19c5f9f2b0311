import type { JobBody } from '../api.ts';
import { CliError, EXIT, type ExitCode } from '../exit-codes.ts';
import { printable } from '../format.ts';
import { listLine } from '../job-text.ts';
import { parseJobId } from '../parse.ts';
import { examples, maxWaitOption, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { awaitEnd, reportEnd } from '../waiting.ts';

interface WatchOptions {
  readonly maxWait?: number;
}

async function watch(session: Session, options: WatchOptions, [id]: readonly string[]): Promise<ExitCode> {
  const first = await session.client().job(id!);
  const maxWaitMs = options.maxWait;
  if (session.output.format === 'text') {
    return reportEnd(session, await awaitEnd(session, first, { maxWaitMs }), false);
  }
  const onJob = (job: JobBody): void => session.output.line(listLine(job), job);
  const job = await awaitEnd(session, first, { maxWaitMs, onJob });
  if (job.state === 'done') return EXIT.ok;
  throw new CliError(
    EXIT.failed,
    `Job ${job.id} ${job.state}: ${printable(job.reason ?? 'no reason given')}.`,
  );
}

/** `hashcluster watch ID` */
export function addWatch({ program, run }: Registry): void {
  program
    .command('watch')
    .summary('follow a job to its end')
    .description(
      'Follows a job and shows its progress: a bar on a terminal, lines elsewhere (on standard error). ' +
        'Prints the digest at the end; with --output json, one line of JSON per change instead.',
    )
    .argument('<id>', 'the job', parseJobId)
    .addOption(maxWaitOption())
    .addHelpText(
      'after',
      examples([
        ['hashcluster watch 0123456789abcdefghjkmnpqrs', 'progress, rate, time left, then the digest'],
        ['hashcluster watch 0123456789abcdefghjkmnpqrs --output json', 'a line of JSON per change'],
        ['hashcluster watch 0123456789abcdefghjkmnpqrs --max-wait 10m', 'not longer than 10 minutes'],
      ]),
    )
    .action(run(watch));
}
