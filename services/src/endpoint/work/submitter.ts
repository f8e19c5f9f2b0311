import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobFacts, LiveJob } from '../../jobs/job.ts';
import type { Submission, Submitted } from '../../ports/job-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';
import { ProblemError, problem, refuse, type Problem } from '../problems.ts';
import type { Announcements } from './announcements.ts';
import { BatchQueue, type Place, type SubmitAnswer } from './batch-queue.ts';
import type { InlineHashing } from './inline-hashing.ts';
import type { StoreCalls } from './store-calls.ts';

export type { SubmitAnswer } from './batch-queue.ts';

/** The most submissions in one call of the store. */
const MAX_BATCH = 1_000;
/** Turns of the event loop for which a batch may grow, at most. */
const MAX_TURNS = 8;

export interface SubmitterOptions {
  readonly store: StoreCalls;
  readonly inline: InlineHashing;
  readonly announcements: Announcements;
  readonly logger: Logger;
  /** Submissions by answer. */
  readonly submitted: Counter;
  /** The most submissions that may wait for the store. */
  readonly maxPending: number;
}

/**
 * Brings submissions to the store, many at once: those that come turn after turn of the event loop, and those that come
 * while a call is under way, share the next call. Nothing is answered before the store has said that it is durable.
 */
export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #queue = new BatchQueue(MAX_BATCH);
  #pumping: Promise<void> | null = null;
  #pending = 0;

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  /** Submissions that have no answer yet. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * What became of each, in order. Throws `overloaded`, with nothing submitted, when too many wait already. Never
   * rejects otherwise: a submission that failed has its problem as its answer.
   */
  submit(facts: readonly JobFacts[]): Promise<SubmitAnswer[]> {
    if (facts.length === 0) return Promise.resolve([]);
    if (this.pending + facts.length > this.#options.maxPending)
      refuse('overloaded', 'Too many submissions wait to be stored. Try again in a moment.');
    return new Promise((resolve) => {
      const missing = facts.length;
      this.#pending += missing;
      this.#queue.add({ facts, answers: new Array<SubmitAnswer>(missing), taken: 0, missing, resolve });
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when every submission has its answer. */
  async idle(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    for (;;) {
      await this.#gather();
      const places = this.#queue.take();
      if (places.length === 0) break;
      await this.#bring(places);
    }
    this.#pumping = null;
  }

  /**
   * Lets the next batch grow while each turn of the event loop brings more: a call costs about the same whatever is in it,
   * two wake-ups of threads and a flush. Whoever is alone waits for nobody.
   */
  async #gather(): Promise<void> {
    let before = -1;
    for (let turn = 0; turn < MAX_TURNS && before < this.#pending && this.#pending < MAX_BATCH; turn++) {
      before = this.#pending;
      await nextTurn();
    }
  }

  async #bring(places: readonly Place[]): Promise<void> {
    const { inline, store } = this.#options;
    let repeated = false;
    try {
      const submissions = await inline.compute(places.map(({ ticket, index }) => ticket.facts[index]!));
      const answers = await store.call('submit', (jobs, attempt) => {
        repeated = attempt > 0;
        return jobs.submit(submissions);
      });
      if (answers.length !== places.length) throw new Error('the store did not answer every submission');
      this.#settle(places, (i) => answers[i]!);
      this.#afterwards(submissions, answers, repeated);
    } catch (error) {
      const what = this.#problem(error, places.length);
      this.#settle(places, () => what);
    }
  }

  /** `repeated`: an attempt before may have created the jobs, so those that are joined may be new as well. */
  #afterwards(submissions: readonly Submission[], answers: readonly Submitted[], repeated: boolean): void {
    const { announcements, submitted, logger } = this.#options;
    const queued: LiveJob[] = [];
    const counts = new Map<string, number>();
    answers.forEach((answer, i) => {
      const name = answer.kind === 'known' && answer.fresh ? 'computed' : answer.kind;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (answer.kind === 'created') queued.push(answer.job);
      else if (answer.kind === 'joined' && repeated && answer.job.owner === null) queued.push(answer.job);
      else if (answer.kind === 'contradiction') {
        const stored = answer.result.digest;
        const computed = submissions[i]!.computed?.digest;
        logger.error('Two digests for one job: hardware is broken', {
          job: answer.result.id,
          stored,
          computed,
        });
      }
    });
    for (const [answer, count] of counts) submitted.add(count, { answer });
    announcements.queued(queued);
  }

  #problem(error: unknown, submissions: number): Problem {
    if (error instanceof ProblemError) return error.problem;
    this.#options.logger.error('Submissions failed', { submissions, error });
    return problem('internal', 'The job could not be stored. The logs say why.');
  }

  #settle(places: readonly Place[], answerOf: (i: number) => SubmitAnswer): void {
    this.#pending -= places.length;
    places.forEach(({ ticket, index }, i) => {
      ticket.answers[index] = answerOf(i);
      if (--ticket.missing === 0) ticket.resolve(ticket.answers);
    });
  }
}
