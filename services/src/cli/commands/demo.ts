import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nextText, resultText, shownPath, type DemoResult } from '../demo-text.ts';
import { CliError, EXIT, type ExitCode } from '../exit-codes.ts';
import { formatCount } from '../format.ts';
import { launch, sessionLaunchOptions, type Launched } from '../launch.ts';
import type { LaunchFlags, LaunchOptions } from '../launch-options.ts';
import { parseServer } from '../parse.ts';
import { isTaken } from '../ports.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { DEFAULT_HOST } from '../settings.ts';
import { openUpload } from '../upload.ts';
import { awaitEnd } from '../waiting.ts';
import { originOf } from '../../runtime/origin.ts';
import { untilAborted } from '../role.ts';
import { addDataOption, addServiceOptions } from '../service-options.ts';

const ITERATIONS = 1_000_000;

/** What the demo hashes: the README of the repository, or, installed without one, the package's own description. */
const FILES = ['../../../../README.md', '../../../package.json'];

interface DemoFlags extends LaunchFlags {
  readonly exit?: boolean;
}

function demoFile(): string {
  const file = FILES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) =>
    existsSync(path),
  );
  if (file === undefined) throw new CliError(EXIT.internal, 'The demo finds no file to hash.');
  return file;
}

/** The address of a HashCluster that listens there already; null when it is something else. */
async function neighbour(session: Session, { host, port }: LaunchOptions): Promise<string | null> {
  const url = originOf(host, port);
  try {
    await session
      .client(AbortSignal.any([session.signal, AbortSignal.timeout(3_000)]), parseServer(url), 0)
      .cluster();
    return url;
  } catch {
    // Whatever it is, it does not answer as HashCluster does.
    session.signal.throwIfAborted();
    return null;
  }
}

/** The ports to use: those wished for, or any free ones where something else listens. */
async function freePorts(session: Session, options: LaunchOptions): Promise<LaunchOptions> {
  const { host, port, adminHost, adminPort } = options;
  const wishes = [
    { what: 'port', host, port },
    { what: 'admin port', host: adminHost, port: adminPort },
  ];
  const found: number[] = [];
  for (const wish of wishes) {
    const taken = await isTaken(wish.host, wish.port);
    if (taken)
      session.output.note(`Something else listens on ${wish.what} ${wish.port}; the demo takes a free one.`);
    found.push(taken ? 0 : wish.port);
  }
  return { ...options, port: found[0]!, adminPort: found[1]! };
}

/** Submits the file and shows how it goes. */
async function showJob(session: Session, url: string): Promise<DemoResult> {
  const server = parseServer(url);
  const file = demoFile();
  const path = shownPath(file, process.cwd());
  session.output.note(`Submitting ${path} with ${formatCount(ITERATIONS)} iterations.`);
  const answer = await session
    .client(session.signal, server)
    .submit(await openUpload(file, session.host.stdin), ITERATIONS);
  const known = answer.known;
  const job = known ? answer.job : await awaitEnd(session, answer.job, { maxWaitMs: undefined, server });
  if (job.state !== 'done')
    throw new CliError(EXIT.failed, `Job ${job.id} ${job.state}: ${job.reason ?? 'no reason given'}.`);
  return { job, known, path, url, usual: url === session.host.settings.server };
}

async function demo(session: Session, flags: DemoFlags): Promise<ExitCode> {
  const { output } = session;
  const options = sessionLaunchOptions(session, flags, 'warn');
  const taken = await isTaken(options.host, options.port);
  const running = taken ? await neighbour(session, options) : null;
  let service: Launched | null = null;
  try {
    if (running === null) service = await launch(session, await freePorts(session, options));
    else output.note(`A HashCluster answers at ${running} already; the demo uses it.`);
    if (service) output.note(service.message);
    const url = service?.url ?? running!;
    const result = await showJob(session, url);
    output.result(resultText(result), { url, known: result.known, job: result.job });
    if (flags.exit || !service) return EXIT.ok;
    output.note(nextText(result));
    output.note('The service stays up until Ctrl-C.');
    await untilAborted(session.signal);
    output.note('Draining.');
    return EXIT.ok;
  } finally {
    await service?.stop();
  }
}

/** `hashcluster demo` */
export function addDemo({ program, run, dataDir }: Registry): void {
  addDataOption(addServiceOptions(program.command('demo'), DEFAULT_HOST), dataDir)
    .option('--exit', 'stop after the result')
    .summary('start a service and show it at work')
    .description(
      'Starts a service as `start` does (on other ports when these are taken), submits README.md with 1,000,000 ' +
        'iterations, prints the digest and how to check it, and stays up until Ctrl-C. A second run shows the cache at work.',
    )
    .addHelpText(
      'after',
      examples([
        ['hashcluster demo', 'see it work'],
        ['hashcluster demo --exit', 'the same, and stop'],
      ]),
    )
    .action(run(demo));
}
