import type { JobBody } from '../../lib/client.ts';
import { iterated } from './hash.ts';
import { throughIngress } from './ingress.ts';

/** What became of a request: a job, a polite refusal, or a failure. */
export interface Tally {
  readonly acknowledged: ReadonlyMap<string, { readonly data: string; readonly iterations: number }>;
  /** 429 and 503 with Retry-After. */
  readonly refused: number;
  /** Everything else that was no answer. */
  readonly failures: readonly string[];
}

/** Jobs that are read at the same time when all are looked for. */
const READERS = 8;

const HEADERS = { 'content-type': 'application/json' };

/**
 * Submits jobs through the ingress at a steady rate while something happens, however that ends. What became of all.
 * @param label part of the data of every job: jobs of one label are the same each time
 */
export async function underLoad(
  host: string,
  perSecond: number,
  happens: (load: Load) => Promise<void>,
  label = '',
): Promise<Tally> {
  const load = new Load(host, label);
  load.start(perSecond);
  try {
    await happens(load);
  } finally {
    await load.stop();
  }
  return load.tally;
}

/** Submits jobs through the ingress at a steady rate, whatever becomes of them, until it is stopped. */
class Load {
  readonly #host: string;
  readonly #label: string;
  readonly #acknowledged = new Map<string, { data: string; iterations: number }>();
  readonly #failures: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #refused = 0;
  #sent = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(host: string, label: string) {
    this.#host = host;
    this.#label = label;
  }

  /** @param perSecond requests that begin in a second */
  start(perSecond: number): void {
    const every = 1_000 / perSecond;
    const began = performance.now();
    this.#timer ??= setInterval(() => {
      // Behind schedule, as after a pause of the machine: what is due is sent now.
      while (this.#sent * every < performance.now() - began) this.#send();
    }, 10);
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  get tally(): Tally {
    return { acknowledged: this.#acknowledged, refused: this.#refused, failures: this.#failures };
  }

  /** Sends nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await Promise.all(this.#underWay);
  }

  #send(): void {
    const number = this.#sent++;
    // Some are done by the endpoint itself, most by workers, a few take a second.
    const iterations = number % 50 === 0 ? 2_000_000 : number % 3 === 0 ? 100 : 20_000 + number;
    const sent = this.#submit(`${this.#host} ${this.#label}${number}`, iterations).finally(() =>
      this.#underWay.delete(sent),
    );
    this.#underWay.add(sent);
  }

  async #submit(data: string, iterations: number): Promise<void> {
    try {
      const body = JSON.stringify({ data, iterations });
      const answer = await throughIngress({
        ...{ host: this.#host, path: '/v1/jobs', method: 'POST', body, headers: HEADERS, limitMs: 60_000 },
      });
      if (answer.status >= 200 && answer.status < 300) {
        this.#acknowledged.set((JSON.parse(answer.text) as JobBody).id, { data, iterations });
      } else if ([429, 503].includes(answer.status) && answer.headers['retry-after'] !== undefined) {
        this.#refused++;
      } else this.#failures.push(`${answer.status} ${answer.text.slice(0, 200)}`);
    } catch (error) {
      this.#failures.push(String(error));
    }
  }
}

export type { Load };

export interface AuditOptions {
  /** Digests that are computed here. */
  readonly samples: number;
  readonly limitMs: number;
}

/** What is wrong with the jobs that were acknowledged: each must be done, with the digest that is computed here. */
export async function audit(host: string, tally: Tally, options: AuditOptions): Promise<string[]> {
  const { gone, wrong } = await find(host, tally, options);
  return [...gone.map((id) => `${id} is unknown`), ...wrong];
}

/** Jobs of these that the service does not know any more, and what is wrong with others. */
export async function find(
  host: string,
  { acknowledged }: Pick<Tally, 'acknowledged'>,
  options: AuditOptions,
): Promise<{ readonly gone: string[]; readonly wrong: string[] }> {
  const wrong: string[] = [];
  const gone: string[] = [];
  const end = performance.now() + options.limitMs;
  const every = Math.max(1, Math.floor(acknowledged.size / options.samples));
  // One iterator for all readers: each takes the next job.
  const jobs = [...acknowledged].entries();
  const read = async (): Promise<void> => {
    for (const [number, [id, { data, iterations }]] of jobs) {
      const job = await whenDone(host, id, end);
      if (job === 'unknown') gone.push(id);
      else if (job?.state !== 'done') wrong.push(`${id} is ${job?.state ?? 'not answered for'}`);
      else if (number % every === 0 && iterations < 1e6 && job.digest !== iterated(data, iterations))
        wrong.push(`${id} has the digest ${job.digest ?? 'none'}`);
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return { gone, wrong };
}

/** The job once it is done, or as it is at the end; null while nobody answers. */
async function whenDone(host: string, id: string, end: number): Promise<JobBody | 'unknown' | null> {
  let job: JobBody | null = null;
  do {
    const headers = { prefer: 'wait=10' };
    const answer = await throughIngress({ host, path: `/v1/jobs/${id}`, headers }).catch(() => null);
    if (answer?.status === 200) job = JSON.parse(answer.text) as JobBody;
    if (answer?.status === 404) return 'unknown';
    if (job?.state === 'done') break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  } while (performance.now() < end);
  return job;
}
