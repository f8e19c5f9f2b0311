import { Option } from 'commander';
import type { SubmitAnswer } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-codes.ts';
import { parseIterations } from '../parse.ts';
import { examples, maxWaitOption, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { shownUpload } from '../upload-progress.ts';
import { openUpload } from '../upload.ts';
import { awaitEnd, reportEnd } from '../waiting.ts';

interface SubmitOptions {
  readonly iterations?: number;
  readonly wait?: boolean;
  readonly maxWait?: number;
}

async function submit(
  session: Session,
  options: SubmitOptions,
  [file = '-']: readonly string[],
): Promise<ExitCode> {
  const { output, host } = session;
  const { iterations } = options;
  if (iterations === undefined)
    throw new CliError(EXIT.usage, "required option '-n, --iterations <n>' not specified", ['(see --help)']);
  const wait = options.wait === true || options.maxWait !== undefined;
  if (file === '-' && host.stdin.isTTY) output.note('Reading from the terminal; end with Ctrl-D.');
  const { job, known } = await send(session, file, iterations);
  if (wait && known) return reportEnd(session, job, true);
  if (wait) {
    output.note(`submitted ${job.id}`);
    return reportEnd(session, await awaitEnd(session, job, { maxWaitMs: options.maxWait }), false);
  }
  output.note(
    known ? `The result is there: hashcluster result ${job.id}` : `See it with: hashcluster watch ${job.id}`,
  );
  output.result(job.id, job);
  return EXIT.ok;
}

async function send(session: Session, file: string, iterations: number): Promise<SubmitAnswer> {
  const progress = session.progress();
  try {
    const upload = await openUpload(file, session.host.stdin);
    return await session.client().submit(
      shownUpload(upload, progress, () => performance.now()),
      iterations,
    );
  } finally {
    progress.close();
  }
}

/** `hashcluster submit FILE|- --iterations N [--wait]` */
export function addSubmit({ program, run }: Registry): void {
  program
    .command('submit')
    .summary('submit a file, or standard input, as a job')
    .description(
      'Sends a file (or standard input, with -) to be hashed N times, and prints the id of the job. ' +
        'Submitting the same again gives the same job, and its result at once when it is known.',
    )
    .argument('<file>', 'the data; - for standard input')
    .addOption(
      // Not mandatory for commander, which would miss it before it says that --iteratons is no option.
      new Option(
        '-n, --iterations <n>',
        'how often to hash (required): 1000000, 1_000_000, 1e6, 10k, 2.5M, 1G, 1T (powers of 1,000)',
      ).argParser(parseIterations),
    )
    .option('-w, --wait', 'wait for the end and print the digest')
    .addOption(maxWaitOption())
    .addHelpText(
      'after',
      examples([
        ['hashcluster submit README.md --iterations 1M', 'submit a file; prints the id'],
        ['hashcluster submit README.md -n 1G --wait', 'wait for the digest, with progress'],
        ['echo -n hello | hashcluster submit - -n 10k --wait --quiet', 'from a pipe; prints the digest only'],
      ]),
    )
    .action(run(submit));
}
