import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { once } from 'node:events';
import type { JobFacts, JobView } from '../../jobs/job.ts';
import { isProblem, type ParsedItem } from '../body/item-parser.ts';
import type { Items } from '../body/read-items.ts';
import type { Core } from '../core.ts';
import { JSON_TYPE, NDJSON_TYPE, send } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { ClientGoneError, problemJson, statusOf, type Problem } from '../problems.ts';
import { appliedHeaders, beginHold, holdOn, viewAfter, type Hold } from './hold.ts';
import { renderJob, viewOfAnswer } from './one-job.ts';

type Outcome = JobView | Problem;

/** Answers are written in pieces of so many items. */
const PIECE = 500;

/** Submits all the good items of a batch and answers item by item, in order. */
export async function submitBatch(
  core: Core,
  exchange: Exchange,
  tenant: string,
  items: Items,
): Promise<void> {
  const good = items.items.filter((item): item is JobFacts => !isProblem(item));
  const ids = good.map(({ id }) => id);
  const hold = beginHold(core, exchange, tenant, ids);
  try {
    const answers = await core.submitter.submit(good);
    const views: Outcome[] = answers.map(viewOfAnswer);
    logBatch(core, exchange, items.items.length, views);
    if (hold) await waitForAll({ core, exchange, tenant, hold }, good, views);
    const outcomes = inOrder(items.items, views);
    await answerBatch(core, exchange.res, { form: items.form, outcomes, headers: appliedHeaders(hold) });
  } finally {
    hold?.wait.close();
  }
}

function logBatch(
  { deps: { logger } }: Core,
  { traceId }: Exchange,
  items: number,
  views: readonly Outcome[],
): void {
  const live = views.filter((view) => !isProblem(view) && view.kind === 'live').length;
  const fields = { items, submitted: views.length, live, traceId };
  if (live > 0) logger.info('Batch accepted', fields);
  else logger.debug('Batch answered at once', fields);
}

interface Waiting {
  readonly core: Core;
  readonly exchange: Exchange;
  readonly tenant: string;
  readonly hold: Hold;
}

/** Waits until all have ended, or the time is up for the whole batch; then puts in how each one stands. */
async function waitForAll(waiting: Waiting, good: readonly JobFacts[], views: Outcome[]): Promise<void> {
  const { core, exchange, tenant, hold } = waiting;
  views.forEach((view, i) => {
    if (isProblem(view) || view.kind === 'result') hold.wait.forget(good[i]!.id);
  });
  await holdOn(hold, exchange);
  await Promise.all(
    views.map(async (view, i) => {
      if (!isProblem(view) && view.kind === 'live') views[i] = await viewAfter(core, hold, tenant, view);
    }),
  );
}

/** Every item's outcome: its own problem, or what became of its submission. */
function inOrder(items: readonly ParsedItem[], views: readonly Outcome[]): Outcome[] {
  let next = 0;
  return items.map((item) => (isProblem(item) ? item : views[next++]!));
}

function itemJson(core: Core, outcome: Outcome): string {
  if (isProblem(outcome)) return `{"status":${statusOf(outcome)},"problem":${problemJson(outcome)}}`;
  return `{"status":${outcome.kind === 'live' ? 202 : 200},"job":${renderJob(core, outcome)}}`;
}

interface BatchAnswer {
  readonly form: Items['form'];
  readonly outcomes: readonly Outcome[];
  readonly headers: readonly string[];
}

async function answerBatch(core: Core, res: ServerResponse, answer: BatchAnswer): Promise<void> {
  const { form, outcomes, headers } = answer;
  const lines = form === 'lines';
  const type = lines ? NDJSON_TYPE : JSON_TYPE;
  const [open, between, close] = lines ? ['', '\n', '\n'] : ['{"items":[', ',', ']}'];
  const piece = (from: number): string => {
    const parts = outcomes.slice(from, from + PIECE).map((outcome) => itemJson(core, outcome));
    if (from === 0) parts[0] = open + parts[0]!;
    // Added here, because adding something to the whole would copy it once more.
    parts.push(from + PIECE < outcomes.length ? '' : parts.pop()! + close);
    return parts.join(between);
  };
  if (outcomes.length <= PIECE) {
    send(res, { status: 200, type, body: piece(0), headers });
    return;
  }
  res.writeHead(200, ['Content-Type', type, ...headers]);
  for (let from = 0; from < outcomes.length; from += PIECE) await write(res, piece(from));
  res.end();
}

/** Writes, and waits until the client has taken it. */
async function write(res: ServerResponse, text: string): Promise<void> {
  if (res.destroyed) throw new ClientGoneError('The client went away before its answer was complete.');
  if (res.write(text)) return nextTurn();
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  res.once('close', leave);
  try {
    await once(res, 'drain', { signal: gone.signal });
  } catch (error) {
    throw new ClientGoneError('The client went away before its answer was complete.', { cause: error });
  } finally {
    res.off('close', leave);
  }
}
