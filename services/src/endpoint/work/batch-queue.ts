import type { Submitted } from '../../ports/job-store.ts';
import type { JobFacts } from '../../jobs/job.ts';
import type { Problem } from '../problems.ts';

/** What became of one submission. */
export type SubmitAnswer = Submitted | Problem;

/** Submissions of one request, and how to tell it what became of them. */
export interface Ticket {
  readonly facts: readonly JobFacts[];
  readonly answers: SubmitAnswer[];
  /** Facts already taken into a batch, and answers still to come. */
  taken: number;
  missing: number;
  readonly resolve: (answers: SubmitAnswer[]) => void;
}

/** One submission in a batch: the `index`th of its ticket. */
export interface Place {
  readonly ticket: Ticket;
  readonly index: number;
}

/** A request with more submissions than this is a bulk one. */
const SMALL = 16;

/**
 * Submissions that wait for the store, cut into batches. Small requests do not stand behind bulk ones: while both wait,
 * each kind gets up to half of a batch. Within a kind, first come, first served.
 */
export class BatchQueue {
  readonly #maxBatch: number;
  #small: Ticket[] = [];
  #bulk: Ticket[] = [];

  constructor(maxBatch: number) {
    this.#maxBatch = maxBatch;
  }

  add(ticket: Ticket): void {
    (ticket.facts.length > SMALL ? this.#bulk : this.#small).push(ticket);
  }

  /** The next batch; empty when nothing waits. */
  take(): Place[] {
    const places: Place[] = [];
    const half = Math.ceil(this.#maxBatch / 2);
    this.#small = fill(places, this.#small, this.#bulk.length > 0 ? half : this.#maxBatch);
    this.#bulk = fill(places, this.#bulk, this.#maxBatch);
    this.#small = fill(places, this.#small, this.#maxBatch);
    return places;
  }
}

/** Moves submissions into the batch until it has `upTo`. Returns the tickets that are left. */
function fill(places: Place[], tickets: Ticket[], upTo: number): Ticket[] {
  let done = 0;
  while (done < tickets.length && places.length < upTo) {
    const ticket = tickets[done]!;
    while (ticket.taken < ticket.facts.length && places.length < upTo)
      places.push({ ticket, index: ticket.taken++ });
    if (ticket.taken === ticket.facts.length) done++;
  }
  return done === 0 ? tickets : tickets.slice(done);
}
