/** What a client asked for, and the right answer. */
export interface Asked {
  /** Different for different jobs, equal for equal ones. */
  readonly name: string;
  /** The submission as the API takes it. */
  readonly body: { readonly data?: string; readonly digest?: string; readonly iterations: number };
  /** The digest at position 1, and at the end. */
  readonly chain: string;
  readonly answer: string;
}

export type State = 'queued' | 'running' | 'done' | 'cancelled' | 'failed';

/** What came back. `unknown`: the job may or may not be there; that is no failure, and it is asked for again. */
export type Outcome =
  | {
      readonly kind: 'acknowledged';
      readonly id: string;
      readonly state: State;
      readonly digest: string | null;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly problem: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** One try to have something done at one endpoint. Times are milliseconds of one clock, before sending and after the answer. */
export interface Attempt {
  readonly job: string;
  readonly endpoint: string;
  readonly form: 'single' | 'batch' | 'wait' | 'cancel';
  readonly from: number;
  readonly to: number;
  readonly outcome: Outcome;
}

/** A job as an endpoint showed it. */
export interface Shown {
  readonly id: string;
  readonly endpoint: string;
  readonly from: number;
  readonly to: number;
  readonly state: State;
  readonly position: number;
  readonly digest: string | null;
}

/** A live job as it stood in the store. Noted when it has changed. */
export interface Stored {
  readonly id: string;
  readonly at: number;
  readonly chain: string;
  readonly iterations: number;
  readonly owner: string | null;
  readonly position: number;
  readonly digest: string;
}

/** A job in the store at the end: live, or how it ended. */
export interface Final {
  readonly id: string;
  readonly chain: string;
  readonly iterations: number;
  readonly state: State;
  readonly digest: string | null;
  /** Iterations done for it, and by whom; null while it lives. */
  readonly computed: number | null;
  readonly worker: string | null;
}

/** Everything that was asked, answered and seen in one run. */
export class History {
  readonly asked = new Map<string, Asked>();
  readonly attempts: Attempt[] = [];
  readonly shown: Shown[] = [];
  readonly stored: Stored[] = [];
  readonly #acknowledged = new Map<string, string>();

  /** To be called before anything is sent. */
  ask(job: Asked): void {
    this.asked.set(job.name, job);
  }

  note(attempt: Attempt): void {
    this.attempts.push(attempt);
    const { form, job, outcome } = attempt;
    if (form !== 'cancel' && outcome.kind === 'acknowledged') this.#acknowledged.set(job, outcome.id);
  }

  /** What has been written down so far. */
  seen(): Pick<History, 'asked' | 'attempts' | 'shown' | 'stored'> {
    const { asked, attempts, shown, stored } = this;
    return { asked, attempts, shown, stored };
  }

  /** The id of each job that was acknowledged, by name. */
  get acknowledged(): ReadonlyMap<string, string> {
    return this.#acknowledged;
  }
}
