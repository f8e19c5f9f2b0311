import type { JobId, JobView, LiveJob } from '../../../jobs/job.ts';
import type { CheckpointAnswer, CompleteAnswer, Completion } from '../../../jobs/machine.ts';
import type * as port from '../../../ports/job-store.ts';
import type { Logger } from '../../../ports/logger.ts';
import { BacklogCounter } from './backlog.ts';
import { claimJobs, ownedBy } from './claim.ts';
import { completeBatch } from './complete.ts';
import type { Context } from './context.ts';
import { MARKS, NOBODY } from './documents.ts';
import { cancelBatch, getViews, type Cancelled } from './end.ts';
import type { Link } from './link.ts';
import { listPage } from './list.ts';
import { checkpointBatch, releaseBatch } from './progress.ts';
import { submitBatch } from './submit.ts';
import { renewLease, Sweeper } from './sweep.ts';
import type { StoreTime } from './time.ts';

/** Jobs in one answer of `owned`, as the port has it. */
const OWNED_MOST = 10_000;

/** The port: each call is a few commands, and safe to repeat. */
export class MongoJobs implements port.JobStore {
  readonly #link: Link;
  readonly #time: StoreTime;
  readonly #options: port.StoreOptions;
  readonly #backlog: BacklogCounter;
  readonly #sweeper = new Sweeper();

  constructor(link: Link, time: StoreTime, options: port.StoreOptions & { readonly logger: Logger }) {
    const { logger, ...rest } = options;
    this.#link = link;
    this.#time = time;
    this.#options = rest;
    this.#backlog = new BacklogCounter(logger);
  }

  start(): Promise<void> {
    return this.#link.start();
  }

  async stop(): Promise<void> {
    await this.#backlog.idle();
    await this.#link.stop();
  }

  trouble(): string | null {
    return this.#link.trouble();
  }

  now(): number {
    return this.#time.now();
  }

  clockTrouble(): string | null {
    return this.#time.trouble();
  }

  databaseId(): string | null {
    return this.#link.databaseId();
  }

  #do<T>(command: (context: Context) => Promise<T>): Promise<T> {
    return this.#link.run((collections) => command({ ...collections, ...this.#options, time: this.#time }));
  }

  async submit(batch: readonly port.Submission[]): Promise<port.Submitted[]> {
    return this.#do((context) => submitBatch(context, batch));
  }

  async get(tenant: string, ids: readonly JobId[]): Promise<(JobView | null)[]> {
    return this.#do((context) => getViews(context, tenant, ids));
  }

  async list(query: port.ListQuery): Promise<port.Page> {
    return this.#do((context) => listPage(context, query));
  }

  async claim(worker: string, wish: port.ClaimWish): Promise<LiveJob[]> {
    checkName(worker);
    return this.#do((context) => claimJobs(context, worker, wish));
  }

  async checkpoint(worker: string, batch: readonly port.Checkpoint[]): Promise<CheckpointAnswer[]> {
    return this.#do((context) => checkpointBatch(context, worker, batch));
  }

  async complete(batch: readonly Completion[]): Promise<CompleteAnswer[]> {
    return this.#do((context) => completeBatch(context, batch));
  }

  async release(worker: string, batch: readonly port.Checkpoint[]): Promise<boolean[]> {
    return this.#do((context) => releaseBatch(context, worker, batch));
  }

  async owned(worker: string): Promise<LiveJob[]> {
    return this.#do((context) => ownedBy(context, worker, OWNED_MOST));
  }

  async renew(worker: string, leaseMs: number): Promise<void> {
    checkName(worker);
    return this.#do((context) => renewLease(context, worker, leaseMs));
  }

  async sweep(options: port.SweepOptions): Promise<port.Sweep> {
    return this.#do((context) => this.#sweeper.sweep(context, options));
  }

  async cancel(tenant: string, ids: readonly JobId[]): Promise<Cancelled[]> {
    return this.#do((context) => cancelBatch(context, tenant, ids));
  }

  async backlog(): Promise<port.Backlog> {
    return this.#do((context) => this.#backlog.read(context));
  }
}

/** Owners that mean something else. Throws `RangeError`. */
function checkName(worker: string): void {
  if (worker === NOBODY || (MARKS as readonly string[]).includes(worker))
    throw new RangeError(`a worker cannot be named '${worker}'`);
}
