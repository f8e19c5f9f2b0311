import { isClusterBody, isJobBody, isJobPage, isWorkerList } from './api.ts';
import type { ClusterBody, JobBody, JobPage, WorkerBody } from './api.ts';
import { connectionTrouble } from './connection.ts';
import { ServiceError } from './problem.ts';
import { SseParser, type SseEvent } from './sse.ts';
import { Transport, type TransportOptions } from './transport.ts';
import type { Upload } from './upload.ts';
import type { Watchdog } from './watchdog.ts';

/** The service says something on an event stream every 15 s; after this much silence the connection is dead. */
const SILENCE_MS = 45_000;

export interface JobQuery {
  readonly state?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/** A submission's answer: `known` when the result was there already, or was computed at once. */
export interface SubmitAnswer {
  readonly job: JobBody;
  readonly known: boolean;
}

/**
 * The service's HTTP API. Every call may be repeated without harm (submitting twice is the same job), so `Transport`
 * repeats every call that finds the service away or busy. Rejects with `CliError`, or with the reason of the signal.
 */
export class Client {
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  get server(): string {
    return this.#transport.server;
  }

  /** Sends the data as it is read, for `iterations` iterations. */
  async submit(upload: Upload, iterations: number): Promise<SubmitAnswer> {
    const length: Record<string, string> =
      upload.size === null ? {} : { 'content-length': String(upload.size) };
    const headers = { 'content-type': 'application/octet-stream', ...length };
    const call = { method: 'PUT', path: 'enqueue', query: { iterations }, headers, upload } as const;
    const { status, body } = await this.#transport.json(call, isJobBody);
    return { job: body, known: status === 200 };
  }

  async job(id: string): Promise<JobBody> {
    return (await this.#transport.json({ method: 'GET', path: `v1/jobs/${id}` }, isJobBody)).body;
  }

  async jobs(query: JobQuery): Promise<JobPage> {
    const call = { method: 'GET', path: 'v1/jobs', query: { ...query } } as const;
    return (await this.#transport.json(call, isJobPage)).body;
  }

  /** The job as it is afterwards. A job that is cancelled already is no error: an answer may have got lost. */
  async cancel(id: string): Promise<JobBody> {
    try {
      return (await this.#transport.json({ method: 'DELETE', path: `v1/jobs/${id}` }, isJobBody)).body;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.slug !== 'already-ended') throw error;
      const job = await this.job(id);
      if (job.state === 'cancelled') return job;
      throw error;
    }
  }

  async cluster(): Promise<ClusterBody> {
    return (await this.#transport.json({ method: 'GET', path: 'v1/cluster' }, isClusterBody)).body;
  }

  async workers(): Promise<readonly WorkerBody[]> {
    const { body } = await this.#transport.json({ method: 'GET', path: 'v1/workers' }, isWorkerList);
    return body.items;
  }

  /**
   * One connection to a job's event stream, from after `lastEventId` (empty: from now). Ends when the stream does, also
   * when it is cut: whoever reads decides whether to connect again.
   */
  async *events(id: string, lastEventId: string): AsyncGenerator<SseEvent> {
    const resume: Record<string, string> = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
    const headers = { accept: 'text/event-stream', ...resume };
    const call = { method: 'GET', path: `v1/jobs/${id}/events`, headers } as const;
    const { response, watchdog } = await this.#transport.stream(call);
    try {
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw this.#transport.stranger();
      }
      yield* this.#parsed(response, watchdog);
    } finally {
      watchdog.close();
    }
  }

  async *#parsed(response: Response, watchdog: Watchdog): AsyncGenerator<SseEvent> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    try {
      watchdog.arm(SILENCE_MS);
      for await (const chunk of response.body ?? []) {
        watchdog.disarm();
        yield* parser.push(decoder.decode(chunk as Uint8Array, { stream: true }));
        watchdog.arm(SILENCE_MS);
      }
    } catch (error) {
      this.#transport.signal.throwIfAborted();
      if (!watchdog.signal.aborted && !connectionTrouble(error, this.server).retryable) throw error;
    }
  }
}
