import type { ServerResponse } from 'node:http';
import type { JobFacts, JobView } from '../../jobs/job.ts';
import { isProblem, type ParsedItem } from '../body/item-parser.ts';
import type { Items } from '../body/read-items.ts';
import type { Core } from '../core.ts';
import { JSON_TYPE, NDJSON_TYPE } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { endWith, PIECE_BYTES, sendInPieces, writePiece } from '../http/large-answer.ts';
import { problemJson, statusOf, type Problem } from '../problems.ts';
import { appliedHeaders, beginHold, holdOn, viewAfter, type Hold } from './hold.ts';
import { renderJob, viewOfAnswer } from './one-job.ts';

type Outcome = JobView | Problem;

/** Answers for more items than this are written while they are made, without a length. */
const SMALL = 500;

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
  const type = form === 'lines' ? NDJSON_TYPE : JSON_TYPE;
  const pieces = piecesOf(core, answer);
  if (outcomes.length <= SMALL) {
    await sendInPieces(res, { status: 200, type, body: [...pieces].join(''), headers });
    return;
  }
  res.writeHead(200, ['Content-Type', type, ...headers]);
  for (const piece of pieces) await writePiece(res, piece);
  await endWith(res, '');
}

/** The answer, made when it is asked for, in pieces. */
function* piecesOf(core: Core, { form, outcomes }: BatchAnswer): Generator<string> {
  const [open, between, close] = form === 'lines' ? ['', '\n', '\n'] : ['{"items":[', ',', ']}'];
  let piece = open;
  for (const [i, outcome] of outcomes.entries()) {
    if (piece.length >= PIECE_BYTES) {
      yield piece;
      piece = '';
    }
    piece += (i === 0 ? '' : between) + itemJson(core, outcome);
  }
  yield piece + close;
}
