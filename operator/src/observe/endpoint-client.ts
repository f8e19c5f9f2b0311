import { z } from 'zod';
import { deadline } from '../control/deadline.ts';
import type { ClusterReport, WorkerReport } from '../plan/observed.ts';
import { exchange, readText } from '../runtime/http-client.ts';
import { http } from '../runtime/node-http.ts';

const CONNECT_MS = 2_000;
const ANSWER_MS = 3_000;
const KEEP_ALIVE_MS = 30_000;
/** Thousands of workers are a few megabytes. */
const MAX_BYTES = 16 * 1024 * 1024;

const count = z.number().min(0);

/** `GET /v1/cluster`: what is read of it. Source: services, `/openapi.json`. */
const CLUSTER: z.ZodType<ClusterReport> = z.object({
  workers: z.object({ live: count, draining: count }),
  engines: count,
  lanes: count,
  freeLanes: count,
  rate: count,
  capacity: count,
  backlog: z.object({
    running: count,
    queued: z.array(
      z.object({ class: count, jobs: count, iterations: count, oldestSeconds: count.nullable() }),
    ),
    seconds: count.nullable(),
  }),
  bus: z
    .object({
      brokers: z.array(count),
      disks: z.array(z.object({ broker: count, used: count, total: count })),
    })
    .nullable()
    .optional(),
});

/** `GET /v1/workers`. */
const WORKERS: z.ZodType<{ items: WorkerReport[] }> = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      state: z.enum(['live', 'draining', 'left', 'dead']),
      lanes: count,
      freeLanes: count,
      jobs: count,
      backlogSeconds: count,
      cpu: count,
      disk: z.object({ free: count, total: count }).nullable(),
      startedAt: z.string(),
      lastSeen: z.string(),
      silentSeconds: count.optional(),
    }),
  ),
});

/** `GET /readyz`. */
const READINESS = z.object({ checks: z.record(z.string(), z.string()) });

/** Asks endpoints, by the addresses of their pods. */
export class EndpointClient {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1, timeout: KEEP_ALIVE_MS });
  readonly #stopping = new AbortController();

  /** Rejects when there is no answer in time, or another one than expected. */
  cluster(origin: string): Promise<ClusterReport> {
    return this.#get(origin, '/v1/cluster', CLUSTER);
  }

  async workers(origin: string): Promise<readonly WorkerReport[]> {
    return (await this.#get(origin, '/v1/workers', WORKERS)).items;
  }

  /** `GET /readyz` on the admin port: checks that fail, each with its reason. */
  async failingChecks(origin: string): Promise<Readonly<Record<string, string>>> {
    const { checks } = await this.#get(origin, '/readyz', READINESS, [200, 503]);
    return Object.fromEntries(Object.entries(checks).filter(([, says]) => says !== 'ok'));
  }

  /** Idempotent. */
  stop(): void {
    this.#stopping.abort(new Error('Endpoints are not asked any more'));
    this.#agent.destroy();
  }

  async #get<T>(
    origin: string,
    path: string,
    shape: z.ZodType<T>,
    expected: readonly number[] = [200],
  ): Promise<T> {
    const { statusCode = 0, text } = await this.#ask(new URL(path, origin));
    if (!expected.includes(statusCode)) throw new Error(`${path}: ${statusCode}: ${text.slice(0, 200)}`);
    const parsed = shape.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error).slice(0, 300)}`);
    return parsed.data;
  }

  async #ask(url: URL): Promise<{ readonly statusCode: number | undefined; readonly text: string }> {
    const bound = deadline(CONNECT_MS + ANSWER_MS, 'no answer', this.#stopping.signal);
    try {
      const { signal } = bound;
      const answer = await exchange({ url, agent: this.#agent, connectMs: CONNECT_MS, signal });
      return { statusCode: answer.statusCode, text: await readText(answer, signal, MAX_BYTES) };
    } finally {
      bound.end();
    }
  }
}
