import type { Asked, Outcome, State } from './history.ts';

/** After this time without an answer nobody knows what became of a request, in milliseconds. */
const PATIENCE_MS = 15_000;

/** Problems that say themselves that the request may have been carried out. */
const UNCERTAIN = /unavailable|internal/;

interface JobAnswer {
  readonly id: string;
  readonly state: State;
  readonly position: number;
  readonly digest: string | null;
}

interface ItemAnswer {
  readonly status: number;
  readonly job?: JobAnswer;
  readonly problem?: { readonly type: string };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One endpoint, as a client sees it that trusts nothing: every answer is an outcome, also none. Nothing here rejects. */
export class Caller {
  readonly name: string;
  readonly #url: () => string;

  /** @param url asked for each request: an endpoint that starts again may have another address */
  constructor(name: string, url: () => string) {
    this.name = name;
    this.#url = url;
  }

  async submit(job: Asked, waitSeconds = 0): Promise<Outcome> {
    const headers = waitSeconds > 0 ? { prefer: `wait=${waitSeconds}` } : {};
    return one(await this.#send('POST', '/v1/jobs', { headers, body: JSON.stringify(job.body) }));
  }

  /** An outcome per job, in order. */
  async submitMany(jobs: readonly Asked[]): Promise<Outcome[]> {
    const body = jobs.map((job) => `${JSON.stringify(job.body)}\n`).join('');
    const answer = await this.#send('POST', '/v1/jobs', { type: 'application/x-ndjson', body });
    if (typeof answer === 'string' || answer.status !== 200) return jobs.map(() => one(answer));
    const lines = answer.text.trim().split('\n');
    return jobs.map((_, i) => {
      const item = parsed(lines[i] ?? '') as ItemAnswer | null;
      return item ? ofItem(item) : { kind: 'unknown', why: 'the answer was cut off' };
    });
  }

  async cancel(id: string): Promise<Outcome> {
    return one(await this.#send('DELETE', `/v1/jobs/${id}`));
  }

  /** The job as it is shown; null when it cannot be seen now. */
  async get(id: string): Promise<JobAnswer | null> {
    const answer = await this.#send('GET', `/v1/jobs/${id}`);
    return typeof answer === 'string' || answer.status !== 200
      ? null
      : (parsed(answer.text) as JobAnswer | null);
  }

  async #send(
    method: string,
    path: string,
    { headers = {}, body = null, type = 'application/json' }: SendOptions = {},
  ): Promise<Answer | string> {
    try {
      const answer = await fetch(this.#url() + path, {
        method,
        body,
        headers: body === null ? headers : { ...headers, 'content-type': type },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return { status: answer.status, text: await answer.text() };
    } catch (error) {
      const { message, cause } = error as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }
}

interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  readonly type?: string;
}

function one(answer: Answer | string): Outcome {
  if (typeof answer === 'string') return { kind: 'unknown', why: answer };
  const { status, text } = answer;
  if (status === 200 || status === 202) {
    const job = parsed(text) as JobAnswer | null;
    return job ? acknowledged(job) : { kind: 'unknown', why: 'the answer was cut off' };
  }
  return refused(status, (parsed(text) as { type: string } | null)?.type ?? text.slice(0, 100));
}

function ofItem({ status, job, problem }: ItemAnswer): Outcome {
  return job ? acknowledged(job) : refused(status, problem?.type ?? 'no problem');
}

function acknowledged({ id, state, digest }: JobAnswer): Outcome {
  return { kind: 'acknowledged', id, state, digest };
}

function refused(status: number, problem: string): Outcome {
  if (UNCERTAIN.test(problem)) return { kind: 'unknown', why: `${status} ${problem}` };
  return { kind: 'refused', status, problem };
}

/** Null where the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
