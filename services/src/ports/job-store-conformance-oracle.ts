import { COST_CLASSES } from '../jobs/cost.ts';
import {
  viewOf,
  type ChainPoint,
  type Digest,
  type JobFacts,
  type JobId,
  type JobRecord,
  type JobResult,
  type JobView,
  type LiveJob,
} from '../jobs/job.ts';
import * as machine from '../jobs/machine.ts';
import type { Backlog, StoreOptions, Submission, Submitted, Sweep } from './job-store.ts';

/** What a store has to say, by the state machine: the simplest thing that could be a store, without any disk. */
export class Oracle {
  readonly #options: StoreOptions;
  readonly #now: () => number;
  readonly #records = new Map<JobId, JobRecord>();
  readonly #leases = new Map<string, number>();

  constructor(options: StoreOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  get #moment(): machine.Moment {
    return { now: this.#now(), retentionMs: this.#options.retentionMs };
  }

  /** An expired result is nothing, for everybody. */
  record(id: JobId): JobRecord {
    const { live, result } = this.#records.get(id) ?? machine.UNKNOWN;
    return { live, result: result !== null && result.expiresAt > this.#now() ? result : null };
  }

  #apply<T>(id: JobId, { record, answer }: machine.Step<T>): T {
    this.#records.set(id, record);
    return answer;
  }

  #live(): LiveJob[] {
    return [...this.#records.values()].flatMap(({ live }) => live ?? []);
  }

  /**
   * When two tenants have two digests for one position (broken hardware), either may be gone on from: `hint` is the one
   * that was.
   */
  submit({ computed, ...facts }: Submission, hint: Digest | null): Submitted {
    const before = this.record(facts.id);
    const settled = before.live !== null || before.result?.outcome === 'done';
    const known = computed || settled ? null : this.#longestKnown(facts, hint);
    if (computed) return this.#bring(facts, computed.digest, facts.iterations - 1);
    if (known?.position === facts.iterations)
      return { ...this.#bring(facts, known.digest, 0), fresh: false } as Submitted;
    const kind = this.#apply(facts.id, machine.submit(before, facts, known, this.#moment));
    const { live, result } = this.record(facts.id);
    return kind === 'known' ? { kind, result: result!, fresh: false } : ({ kind, job: live } as Submitted);
  }

  /** A submission whose digest is known completes the job, by nobody; it also is a use of what is there. */
  #bring(facts: JobFacts, digest: string, computed: number): Submitted {
    const done = { ...facts, digest, computed, worker: null, createdAt: this.#now(), startedAt: null };
    const answer = this.#apply(facts.id, machine.bring(this.record(facts.id), done, this.#moment));
    const { live, result } = this.record(facts.id);
    if (answer === 'contradiction') return { kind: answer, result: result! };
    const used = machine.used(result!, this.#moment);
    this.#records.set(facts.id, { live, result: used });
    return { kind: 'known', result: used, fresh: answer === 'stored' };
  }

  #longestKnown({ tenant, chain, iterations }: JobFacts, hint: Digest | null): ChainPoint | null {
    const { reuseIterations, sharedCache } = this.#options;
    const results = [...this.#records.keys()].flatMap((id) => this.record(id).result ?? []);
    const usable = results.filter(
      (result) =>
        result.outcome === 'done' &&
        result.chain === chain &&
        result.iterations >= reuseIterations &&
        result.iterations <= iterations &&
        (sharedCache || result.tenant === tenant),
    );
    const most = Math.max(...usable.map((result) => result.iterations));
    const longest = usable.filter((result) => result.iterations === most);
    const found = longest.find(({ digest }) => digest === hint) ?? longest[0];
    return found ? { position: most, digest: found.digest! } : null;
  }

  claim(worker: string, id: JobId): LiveJob | null {
    return this.#apply(id, machine.claim(this.record(id), worker));
  }

  /** Queued jobs of a class; the oldest first. */
  queued(costClass: number): LiveJob[] {
    const jobs = this.#live().filter((job) => job.owner === null && job.class === costClass);
    return jobs.toSorted((a, b) => a.queuedAt - b.queuedAt);
  }

  owned(worker: string): LiveJob[] {
    return this.#live().filter(({ owner }) => owner === worker);
  }

  checkpoint(worker: string, id: JobId, point: ChainPoint): machine.CheckpointAnswer {
    return this.#apply(id, machine.checkpoint(this.record(id), worker, point));
  }

  release(worker: string, id: JobId, point: ChainPoint): boolean {
    return this.#apply(id, machine.release(this.record(id), worker, point, this.#now()));
  }

  complete(done: machine.Completion): machine.CompleteAnswer {
    return this.#apply(done.id, machine.complete(this.record(done.id), done, this.#moment));
  }

  cancel(tenant: string, id: JobId): { cancelled: boolean; view: JobView } | null {
    if (!this.view(tenant, id)) return null;
    const cancelled = this.#apply(id, machine.cancel(this.record(id), this.#moment));
    return { cancelled, view: this.view(tenant, id)! };
  }

  renew(worker: string, leaseMs: number): void {
    this.#leases.set(worker, this.#now() + leaseMs);
  }

  sweep(forgottenAfterMs: number): Sweep {
    const now = this.#now();
    const { requeued, failed } = this.#expire((owner) => (this.#leases.get(owner) ?? 0) <= now);
    const waiting = COST_CLASSES.flatMap((each) => this.queued(each));
    const forgotten = waiting.filter(({ queuedAt }) => queuedAt < now - forgottenAfterMs);
    const gone = [...this.#records].filter(([, { result }]) => result !== null && result.expiresAt <= now);
    for (const [id, { live }] of gone) this.#records.set(id, { live, result: null });
    return { requeued, failed, forgotten, expired: gone.length };
  }

  /** The process ends, and every worker in it. */
  crash(): void {
    this.#leases.clear();
    this.#expire(() => true);
  }

  #expire(isDead: (owner: string) => boolean): { requeued: LiveJob[]; failed: JobResult[] } {
    const requeued: LiveJob[] = [];
    const failed: JobResult[] = [];
    for (const { id, owner } of this.#live()) {
      if (owner === null || !isDead(owner)) continue;
      const answer = this.#apply(id, machine.expire(this.record(id), this.#moment));
      const { live, result } = this.record(id);
      if (answer === 'requeued') requeued.push(live!);
      if (answer === 'failed') failed.push(result!);
    }
    return { requeued, failed };
  }

  view(tenant: string, id: JobId): JobView | null {
    const record = this.record(id);
    return (record.live ?? record.result)?.tenant === tenant ? viewOf(record) : null;
  }

  backlog(): Backlog {
    const queued = COST_CLASSES.map((each) => {
      const jobs = this.queued(each);
      const iterations = jobs.reduce((sum, job) => sum + job.iterations - job.position, 0);
      return { class: each, jobs: jobs.length, iterations, oldestQueuedAt: jobs[0]?.queuedAt ?? null };
    });
    return { queued, running: this.#live().filter(({ owner }) => owner !== null).length };
  }
}
