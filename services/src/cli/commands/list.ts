import { Option } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobBody } from '../api.ts';
import type { Client } from '../client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { listLine, listText } from '../job-text.ts';
import { countParser } from '../parse.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';

const STATES = ['queued', 'running', 'done', 'cancelled', 'failed'] as const;

/** The service gives at most this many jobs in one page. */
const MAX_PAGE = 1_000;
const FOLLOW_EVERY_MS = 2_000;

interface ListOptions {
  readonly state?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly follow?: boolean;
}

/** Jobs page by page, until there are `limit` of them or no more. */
async function* pages(
  client: Client,
  state: string | undefined,
  limit: number,
): AsyncGenerator<readonly JobBody[]> {
  let cursor: string | undefined;
  for (let left = limit; left > 0;) {
    const page = await client.jobs({ state, cursor, limit: Math.min(left, MAX_PAGE) });
    yield page.items;
    left -= page.items.length;
    if (page.next === null || page.items.length === 0) return;
    cursor = page.next;
  }
}

async function list(session: Session, options: ListOptions): Promise<ExitCode> {
  if (options.follow) return follow(session, options);
  const limit = options.all ? Infinity : options.limit;
  // A job that ends between two pages is in both: its place is the first, and how it ended is the truth.
  const found = new Map<string, JobBody>();
  for await (const items of pages(session.client(), options.state, limit))
    for (const job of items) found.set(job.id, job);
  const jobs = [...found.values()];
  session.output.result(listText(jobs), { items: jobs });
  return EXIT.ok;
}

/** What has changed between two looks: jobs that are new, or whose state or position is another. */
export function changes(seen: ReadonlyMap<string, string>, jobs: readonly JobBody[]): JobBody[] {
  return jobs.filter((job) => seen.get(job.id) !== mark(job));
}

function mark(job: JobBody): string {
  return `${job.state} ${job.position}`;
}

/** Looks again and again; remembers no more than the last look. Ends with the signal. */
async function follow(session: Session, { state, limit }: ListOptions): Promise<never> {
  const client = session.client();
  const states = state === undefined ? STATES : [state];
  let seen: ReadonlyMap<string, string> = new Map();
  for (;;) {
    const jobs = new Map<string, JobBody>();
    for (const each of states) {
      for await (const items of pages(client, each, limit)) for (const job of items) jobs.set(job.id, job);
    }
    const found = [...jobs.values()];
    for (const job of changes(seen, found)) session.output.line(listLine(job), job);
    seen = new Map(found.map((job) => [job.id, mark(job)]));
    await sleep(FOLLOW_EVERY_MS, null, { signal: session.signal }).catch(() =>
      session.signal.throwIfAborted(),
    );
  }
}

/** `hashcluster list` */
export function addList({ program, run }: Registry): void {
  program
    .command('list')
    .summary('list jobs')
    .description(
      'Lists jobs: first those that are queued or running, then those that have ended, the newest first.',
    )
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(STATES))
    .addOption(
      new Option('--limit <n>', 'at most this many jobs; with --follow, of each state')
        .argParser(countParser('The limit', 1, 1_000_000))
        .default(50),
    )
    .option('--all', 'all jobs, however many')
    .option('-f, --follow', 'go on, and print a line for every job that changes (looks every 2 s)')
    .addHelpText(
      'after',
      examples([
        ['hashcluster list --state running', 'what is being hashed now'],
        ['hashcluster list --all --output json', 'everything, as one JSON document'],
        ['hashcluster list --follow --output json', 'a line of JSON per change, until Ctrl-C'],
      ]),
    )
    .action(run(list));
}
