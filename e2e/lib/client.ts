/** A job as the service shows it; see its /openapi.json. */
export interface JobBody {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed';
  readonly iterations: number;
  readonly position: number;
  readonly digest: string | null;
  /** Iterations that were really computed; null before the end. */
  readonly computed: number | null;
  readonly worker: string | null;
}

export interface WorkerBody {
  readonly id: string;
  /** The name of its machine; of its pod in Kubernetes. */
  readonly host: string;
  readonly state: 'live' | 'draining' | 'left' | 'dead';
  /** Since its last heartbeat. */
  readonly silentSeconds: number;
  readonly jobs: number;
}

/** One event of a stream: its type and what it says. */
export interface JobEvent {
  readonly type: string;
  readonly job: JobBody;
}

export interface ItemAnswer {
  readonly status: number;
  readonly job?: JobBody;
  readonly problem?: { readonly type: string; readonly detail: string };
}

export interface Item {
  readonly data: string;
  readonly iterations: number;
}

interface SendOptions {
  readonly body?: string | null;
  readonly waitSeconds?: number;
  readonly type?: string;
}

/** Speaks to a service as any client would. Everything rejects on an answer that is not 2xx. */
export class Client {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async submit(item: Item, waitSeconds = 0): Promise<JobBody> {
    return (
      await this.#send('POST', '/v1/jobs', { body: JSON.stringify(item), waitSeconds })
    ).json() as Promise<JobBody>;
  }

  /** A batch as NDJSON; an answer per item, in order. */
  async submitMany(items: readonly Item[], waitSeconds = 0): Promise<ItemAnswer[]> {
    const body = items.map((item) => `${JSON.stringify(item)}\n`).join('');
    const answer = await this.#send('POST', '/v1/jobs', { body, waitSeconds, type: 'application/x-ndjson' });
    const lines = (await answer.text()).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as ItemAnswer);
  }

  async get(id: string, waitSeconds = 0): Promise<JobBody> {
    return (await this.#send('GET', `/v1/jobs/${id}`, { waitSeconds })).json() as Promise<JobBody>;
  }

  async cancel(id: string): Promise<JobBody> {
    return (await this.#send('DELETE', `/v1/jobs/${id}`)).json() as Promise<JobBody>;
  }

  async list(query: string): Promise<{ items: JobBody[]; next: string | null }> {
    const answer = await this.#send('GET', `/v1/jobs?${query}`);
    return answer.json() as Promise<{ items: JobBody[]; next: string | null }>;
  }

  async cluster(): Promise<{ backlog: { running: number; queued: { jobs: number }[] } }> {
    const answer = await this.#send('GET', '/v1/cluster');
    return answer.json() as Promise<{ backlog: { running: number; queued: { jobs: number }[] } }>;
  }

  async workers(): Promise<WorkerBody[]> {
    const answer = await this.#send('GET', '/v1/workers');
    return ((await answer.json()) as { items: WorkerBody[] }).items;
  }

  /** Every event of a job, to its end. */
  async events(id: string): Promise<JobEvent[]> {
    const answer = await this.#send('GET', `/v1/jobs/${id}/events`);
    const blocks = (await answer.text()).split('\n\n');
    return blocks.flatMap((block) => {
      const type = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      return type && data ? [{ type, job: JSON.parse(data) as JobBody }] : [];
    });
  }

  async #send(method: string, path: string, options: SendOptions = {}): Promise<Response> {
    const { body = null, waitSeconds = 0, type = 'application/json' } = options;
    const headers: Record<string, string> = body === null ? {} : { 'content-type': type };
    if (waitSeconds > 0) headers['prefer'] = `wait=${waitSeconds}`;
    const answer = await fetch(this.#url + path, { method, headers, body });
    if (!answer.ok)
      throw new Error(`${method} ${path}: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
    return answer;
  }
}

/** Waits until the condition holds, looking every 20 ms, or as often as is said. Rejects after `limitMs`. */
export async function until(
  what: string,
  limitMs: number,
  condition: () => Promise<boolean>,
  everyMs = 20,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
