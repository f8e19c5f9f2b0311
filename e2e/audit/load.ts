import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../faults/random.ts';
import type { Caller } from './caller.ts';
import type { Asked, Attempt, History } from './history.ts';
import type { JobMix } from './job-mix.ts';

/** Clients at the same time, and the longest pause of one between two requests, in milliseconds. */
const CLIENTS = 6;
const PAUSE_MS = 360;
/** A client whose request failed waits this long at most, and comes again; here or elsewhere. */
const RETRY_MS = 400;
const BATCH = { least: 3, most: 8 };
/** Shares of requests: batches, waits, jobs that were asked for before, and long jobs that are cancelled at once. */
const SHARES = { batch: 0.1, wait: 0.1, again: 0.06, cancel: 0.02 };

export interface LoadOptions {
  readonly callers: readonly Caller[];
  readonly mix: JobMix;
  readonly history: History;
  readonly seed: string;
}

/**
 * Clients that submit until they are told to stop. Each has an endpoint of its own and stays with it; what was not
 * acknowledged is asked for again, at any endpoint, until it is.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: Promise<void>[] = [];
  readonly #milestones: { readonly count: number; readonly reached: () => void }[] = [];
  #over = false;
  #gaveUp = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): void {
    for (let i = 0; i < CLIENTS; i++) this.#clients.push(this.#client(i));
  }

  /** Resolves when so many different jobs are acknowledged: true; or when that took too long: false. */
  acknowledged(count: number, limitMs: number): Promise<boolean> {
    if (this.#options.history.acknowledged.size >= count) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      const reached = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#milestones.push({ count, reached });
    });
  }

  /** Submits nothing new, and waits until everything is acknowledged, or given up after `limitMs`. Can be called again. */
  async finish(limitMs: number): Promise<void> {
    this.#over = true;
    const timer = setTimeout(() => (this.#gaveUp = true), limitMs);
    await Promise.all(this.#clients);
    clearTimeout(timer);
  }

  /** Submits long jobs at once, of `least` to `strides` strides each, beside what the clients do. */
  async burst(jobs: number, strides: number, least = Math.ceil(strides / 2)): Promise<void> {
    const { callers, mix, seed } = this.#options;
    const random = new Random(`${seed}/burst of ${jobs}`);
    const long = Array.from({ length: jobs }, () => mix.long(strides, least));
    await this.#submit(random.pick(callers), long, 'batch', random);
  }

  /** One more client, that submits so many small jobs at once, at this endpoint first. Resolves when all are acknowledged. */
  flood(jobs: number, caller: Caller): Promise<void> {
    const { mix, seed } = this.#options;
    const random = new Random(`${seed}/flood of ${jobs}`);
    const batch = Array.from({ length: jobs }, () => mix.small());
    const submitted = this.#submit(caller, batch, 'batch', random);
    this.#clients.push(submitted);
    return submitted;
  }

  async #client(number: number): Promise<void> {
    const { callers, seed } = this.#options;
    const random = new Random(`${seed}/client ${number}`);
    const home = callers[number % callers.length]!;
    while (!this.#over) {
      await this.#request(home, random);
      await pause(random.next() * PAUSE_MS);
    }
  }

  async #request(caller: Caller, random: Random): Promise<void> {
    const { mix, history } = this.#options;
    const kind = random.next();
    if (kind < SHARES.batch) {
      const jobs = Array.from({ length: random.whole(BATCH.least, BATCH.most) }, () => mix.next());
      return this.#submit(caller, jobs, 'batch', random);
    }
    if (kind < SHARES.batch + SHARES.cancel) return this.#cancelled(caller, mix.long(), random);
    const known = [...history.asked.values()];
    const again = kind > 1 - SHARES.again && known.length > 0;
    const job = again ? random.pick(known) : mix.next();
    return this.#submit(
      caller,
      [job],
      kind < SHARES.batch + SHARES.cancel + SHARES.wait ? 'wait' : 'single',
      random,
    );
  }

  /** Submits until all are acknowledged. */
  async #submit(
    first: Caller,
    jobs: readonly Asked[],
    form: 'single' | 'batch' | 'wait',
    random: Random,
  ): Promise<void> {
    const { history, callers } = this.#options;
    for (const job of jobs) history.ask(job);
    let caller = first;
    let missing = jobs;
    while (missing.length > 0 && !this.#gaveUp) {
      const from = performance.now();
      const outcomes =
        form === 'batch'
          ? await caller.submitMany(missing)
          : [await caller.submit(missing[0]!, form === 'wait' ? random.whole(1, 3) : 0)];
      const times = { from, to: performance.now() };
      missing.forEach((job, i) =>
        this.#note({ job: job.name, endpoint: caller.name, form, ...times, outcome: outcomes[i]! }),
      );
      missing = missing.filter((_, i) => outcomes[i]!.kind !== 'acknowledged');
      if (missing.length === 0) return;
      await pause(random.next() * RETRY_MS);
      // A client of one endpoint stays with it as long as it can be: what fails there is seen there.
      caller = random.next() < 0.5 ? first : random.pick(callers);
    }
  }

  /** A job of its own, cancelled as soon as it is acknowledged. Whether that works is not known here. */
  async #cancelled(caller: Caller, job: Asked, random: Random): Promise<void> {
    const { history } = this.#options;
    if (history.asked.has(job.name)) return;
    await this.#submit(caller, [job], 'single', random);
    const id = history.acknowledged.get(job.name);
    if (id === undefined) return;
    const from = performance.now();
    const outcome = await caller.cancel(id);
    this.#note({
      job: job.name,
      endpoint: caller.name,
      form: 'cancel',
      from,
      to: performance.now(),
      outcome,
    });
  }

  #note(attempt: Attempt): void {
    const { history } = this.#options;
    history.note(attempt);
    for (let i = this.#milestones.length - 1; i >= 0; i--) {
      const { count, reached } = this.#milestones[i]!;
      if (history.acknowledged.size < count) continue;
      this.#milestones.splice(i, 1);
      reached();
    }
  }
}
