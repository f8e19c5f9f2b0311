import { costClassOf, COST_CLASSES } from '../../jobs/cost.ts';
import { stateOf, viewOf, type JobId, type JobRecord, type JobView, type LiveJob } from '../../jobs/job.ts';
import { DEFAULT_RETENTION_MS } from '../../jobs/limits.ts';
import * as machine from '../../jobs/machine.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  InvalidCursorError,
  StoreUnavailableError,
  type Backlog,
  type Checkpoint,
  type ClaimWish,
  type JobStore,
  type ListQuery,
  type Page,
  type Submission,
  type Submitted,
  type Sweep,
  type SweepOptions,
} from '../../ports/job-store.ts';

/** A store in memory, made of the job machine itself. For tests: it can be away, and it can be slow. */
export class MemoryStore implements JobStore {
  readonly records = new Map<JobId, JobRecord>();
  /** Sizes of the batches that `submit` was called with. */
  readonly batches: number[] = [];
  readonly calls: string[] = [];
  /** The next so many calls fail as if the store were away. */
  away = 0;
  /** The next so many calls do what they are asked for, but their answers get lost. */
  answersLost = 0;
  /** Every call waits for this. */
  gate: Promise<unknown> | null = null;
  /** What is wrong with the clocks. */
  clockWrong: string | null = null;
  readonly #clock: Clock;
  readonly #leases = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  trouble(): string | null {
    return this.away > 0 ? 'the store is away' : null;
  }

  now(): number {
    return this.#clock.now();
  }

  clockTrouble(): string | null {
    return this.clockWrong;
  }

  submit(batch: readonly Submission[]): Promise<Submitted[]> {
    this.batches.push(batch.length);
    return this.#do('submit', () => batch.map((submission) => this.#submit(submission)));
  }

  get(tenant: string, ids: readonly JobId[]): Promise<(JobView | null)[]> {
    return this.#do('get', () => ids.map((id) => this.#view(tenant, id)));
  }

  list(query: ListQuery): Promise<Page> {
    return this.#do('list', () => {
      const offset = query.cursor === null ? 0 : Number(/^at-(\d+)$/.exec(query.cursor)?.[1] ?? NaN);
      if (Number.isNaN(offset)) throw new InvalidCursorError('not a cursor of this store');
      const views = [...this.records.keys()]
        .map((id) => this.#view(query.tenant, id))
        .filter(
          (view): view is JobView => view !== null && (query.state === null || stateOf(view) === query.state),
        )
        .sort((a, b) => rank(a) - rank(b));
      const end = offset + query.limit;
      return { items: views.slice(offset, end), next: end < views.length ? `at-${end}` : null };
    });
  }

  claim(worker: string, wish: ClaimWish): Promise<LiveJob[]> {
    return this.#do('claim', () => {
      const queued = [...this.records.values()].filter(({ live }) => live?.owner === null);
      const ids =
        'ids' in wish
          ? wish.ids
          : queued
              .filter(({ live }) => live!.class === wish.class)
              .map(({ live }) => live!.id)
              .slice(0, wish.limit);
      return ids.flatMap((id) => this.#step(id, (record) => machine.claim(record, worker)) ?? []);
    });
  }

  checkpoint(worker: string, batch: readonly Checkpoint[]): Promise<machine.CheckpointAnswer[]> {
    return this.#do('checkpoint', () =>
      batch.map(({ id, ...point }) => this.#step(id, (record) => machine.checkpoint(record, worker, point))),
    );
  }

  complete(batch: readonly machine.Completion[]): Promise<machine.CompleteAnswer[]> {
    return this.#do('complete', () =>
      batch.map((done) => this.#step(done.id, (record) => machine.complete(record, done, this.#moment()))),
    );
  }

  release(worker: string, batch: readonly Checkpoint[]): Promise<boolean[]> {
    return this.#do('release', () =>
      batch.map(({ id, ...point }) =>
        this.#step(id, (record) => machine.release(record, worker, point, this.#clock.now())),
      ),
    );
  }

  owned(worker: string): Promise<LiveJob[]> {
    return this.#do('owned', () =>
      [...this.records.values()].flatMap(({ live }) => (live?.owner === worker ? live : [])),
    );
  }

  renew(worker: string, leaseMs: number): Promise<void> {
    return this.#do('renew', () => void this.#leases.set(worker, this.#clock.now() + leaseMs));
  }

  sweep({ forgottenAfterMs, limit }: SweepOptions): Promise<Sweep> {
    return this.#do('sweep', () => {
      const now = this.#clock.now();
      const lives = [...this.records.values()].flatMap(({ live }) => live ?? []);
      const orphans = lives.filter(({ owner }) => owner !== null && (this.#leases.get(owner) ?? 0) <= now);
      const sweep = { requeued: [] as LiveJob[], failed: [], forgotten: [] as LiveJob[], expired: 0 };
      for (const { id } of orphans.slice(0, limit)) {
        this.#step(id, (record) => machine.expire(record, this.#moment()));
        sweep.requeued.push(this.records.get(id)!.live!);
      }
      const old = lives.filter(({ owner, queuedAt }) => owner === null && now - queuedAt > forgottenAfterMs);
      sweep.forgotten.push(...old.slice(0, limit));
      return sweep;
    });
  }

  cancel(tenant: string, ids: readonly JobId[]): Promise<({ cancelled: boolean; view: JobView } | null)[]> {
    return this.#do('cancel', () =>
      ids.map((id) => {
        if (!this.#view(tenant, id)) return null;
        const cancelled = this.#step(id, (record) => machine.cancel(record, this.#moment()));
        return { cancelled, view: this.#view(tenant, id)! };
      }),
    );
  }

  backlog(): Promise<Backlog> {
    return this.#do('backlog', () => {
      const lives = [...this.records.values()].flatMap(({ live }) => live ?? []);
      const queued = COST_CLASSES.map((costClass) => {
        const jobs = lives.filter((job) => job.owner === null && job.class === costClass);
        const iterations = jobs.reduce((sum, job) => sum + job.iterations - job.position, 0);
        const oldest = jobs.length === 0 ? null : Math.min(...jobs.map((job) => job.queuedAt));
        return { class: costClass, jobs: jobs.length, iterations, oldestQueuedAt: oldest };
      });
      return { queued, running: lives.filter((job) => job.owner !== null).length };
    });
  }

  #submit(submission: Submission): Submitted {
    const { id, tenant, chain, iterations, computed } = submission;
    const facts = { id, tenant, chain, iterations };
    if (!computed) return this.#create(facts);
    const now = this.#clock.now();
    const done = {
      ...facts,
      digest: computed.digest,
      computed: iterations - 1,
      worker: null,
      createdAt: now,
      startedAt: now,
    };
    const answer = this.#step(id, (record) => machine.bring(record, done, this.#moment()));
    const result = this.records.get(id)!.result!;
    return answer === 'contradiction'
      ? { kind: answer, result }
      : { kind: 'known', result, fresh: answer === 'stored' };
  }

  #create(facts: { id: JobId; tenant: string; chain: string; iterations: number }): Submitted {
    const answer = this.#step(facts.id, (record) => machine.submit(record, facts, null, this.#moment()));
    const { live, result } = this.records.get(facts.id)!;
    if (answer === 'known') return { kind: 'known', result: result!, fresh: false };
    return {
      kind: answer === 'created' ? 'created' : 'joined',
      job: { ...live!, class: costClassOf(live!.iterations - live!.position) },
    };
  }

  #step<T>(id: JobId, event: (record: JobRecord) => machine.Step<T>): T {
    const { record, answer } = event(this.records.get(id) ?? machine.UNKNOWN);
    if (record.live || record.result) this.records.set(id, record);
    return answer;
  }

  #view(tenant: string, id: JobId): JobView | null {
    const view = viewOf(this.records.get(id) ?? machine.UNKNOWN);
    return view && (view.kind === 'live' ? view.job : view.result).tenant === tenant ? view : null;
  }

  #moment(): machine.Moment {
    return { now: this.#clock.now(), retentionMs: DEFAULT_RETENTION_MS };
  }

  async #do<T>(name: string, operation: () => T): Promise<T> {
    this.calls.push(name);
    if (this.gate) await this.gate;
    if (this.away > 0) {
      this.away--;
      throw new StoreUnavailableError('the store is away');
    }
    const answer = operation();
    if (this.answersLost > 0) {
      this.answersLost--;
      throw new StoreUnavailableError('the answer got lost');
    }
    return answer;
  }
}

function rank(view: JobView): number {
  return view.kind === 'live' ? -Infinity : -view.result.finishedAt;
}
