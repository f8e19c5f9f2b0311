import { createHash } from 'node:crypto';
import { Option } from 'commander';
import { hasEnded, type JobBody } from '../api.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatCount, formatDuration, formatRate } from '../format.ts';
import { wantedBackend } from '../kernels.ts';
import { Pace } from '../pace.ts';
import { parseJobId } from '../parse.ts';
import { recompute } from '../recompute.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { openUpload } from '../upload.ts';
import { reportEnd, stillRunning } from '../waiting.ts';
import { BACKENDS, type BackendName } from '../../ports/hasher.ts';

interface VerifyOptions {
  readonly data?: string;
  readonly backend?: BackendName;
}

type Verdict = 'right' | 'wrong';

/** `sha512` of the file, or of standard input: the chain that the job ought to have. */
async function chainOfFile(session: Session, file: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of (await openUpload(file, session.host.stdin)).open()) hash.update(chunk);
  return hash.digest('hex');
}

interface Computed {
  readonly digest: string;
  readonly backend: BackendName;
  readonly seconds: number;
}

/** The digest of the job, computed here, with progress. */
async function compute(session: Session, job: JobBody, forced: BackendName | undefined): Promise<Computed> {
  const { availableBackends, chooseBackend, openKernel } = await import('../../hashing/select.ts');
  const backends = availableBackends();
  // The fastest for many chains is also the fastest for one: it has code for few lanes, too.
  const backend =
    forced === undefined ? chooseBackend(backends).name : wantedBackend(forced, backends.available);
  const kernel = openKernel(backend);
  const progress = session.progress();
  const pace = new Pace();
  const steps = job.iterations - 1;
  const onProgress = (done: number): void => {
    pace.add(performance.now(), done);
    const rate = pace.rate();
    const secondsLeft = rate === null ? null : (steps - done) / rate;
    progress.show({ label: 'verifying', position: done + 1, total: job.iterations, rate, secondsLeft });
  };
  const start = performance.now();
  try {
    const digest = await recompute(job.chain, steps, { kernel, signal: session.signal, onProgress });
    return { digest, backend, seconds: (performance.now() - start) / 1_000 };
  } finally {
    progress.close();
  }
}

async function verify(session: Session, options: VerifyOptions, [id]: readonly string[]): Promise<ExitCode> {
  const job = await session.client().job(id!);
  if (!hasEnded(job.state)) throw stillRunning(job, null);
  if (job.digest === null) return reportEnd(session, job, false);
  const chain = options.data === undefined ? job.chain : await chainOfFile(session, options.data);
  if (chain !== job.chain) {
    return report(session, 'wrong', { job, computed: chain, expected: job.chain, of: options.data! });
  }
  const { digest, backend, seconds } = await compute(session, job, options.backend);
  const count = formatCount(job.iterations);
  const rate = formatRate((job.iterations - 1) / seconds);
  session.output.note(`${count} iterations in ${formatDuration(seconds)} with ${backend} (${rate})`);
  const verdict = digest === job.digest ? 'right' : 'wrong';
  const evidence = { job, computed: digest, expected: job.digest, of: `position ${count}`, backend, seconds };
  return report(session, verdict, evidence);
}

interface Evidence {
  readonly job: JobBody;
  readonly computed: string;
  readonly expected: string;
  /** What `computed` and `expected` are of. */
  readonly of: string;
  readonly backend?: BackendName;
  readonly seconds?: number;
}

function report({ output }: Session, verdict: Verdict, evidence: Evidence): ExitCode {
  const { job, computed, expected, of, backend = null, seconds = null } = evidence;
  const { id, iterations } = job;
  const text =
    verdict === 'right'
      ? output.paint('good', `right: ${expected}`)
      : `${output.paint('bad', `wrong: the digest of ${of} is`)}\n  ${computed} here\n  ${expected} there`;
  output.result(text, { id, verdict, iterations, backend, seconds, of, computed, expected });
  return verdict === 'right' ? EXIT.ok : EXIT.failed;
}

/** `hashcluster verify ID` */
export function addVerify({ program, run }: Registry): void {
  program
    .command('verify')
    .summary('compute a job again, here, and compare')
    .description(
      'Computes the digest of a job again on this machine and compares. Shows progress and the time left. ' +
        'A chain cannot be divided, so it takes one core, for as long as the job has iterations. ' +
        'Exit code 0: the digest is right; 1: it is wrong.',
    )
    .argument('<id>', 'the job', parseJobId)
    .option('--data <file>', 'check also that the job began with this file (- for standard input)')
    .addOption(
      new Option('--backend <name>', 'what to hash with; node is OpenSSL, by way of Node.js').choices(
        BACKENDS,
      ),
    )
    .addHelpText(
      'after',
      examples([
        ['hashcluster verify 0123456789abcdefghjkmnpqrs', 'compute it again with the fastest code there is'],
        [
          'hashcluster verify 0123456789abcdefghjkmnpqrs --backend node',
          'with OpenSSL instead of our own code',
        ],
        ['hashcluster verify 0123456789abcdefghjkmnpqrs --data README.md', 'and check the data too'],
      ]),
    )
    .action(run(verify));
}
