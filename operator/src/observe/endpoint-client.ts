import { Agent } from 'undici';
import { z } from 'zod';
import type { ClusterReport, WorkerReport } from '../plan/observed.ts';

const CONNECT_MS = 2_000;
const ANSWER_MS = 3_000;
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
      state: z.enum(['live', 'draining', 'dead']),
      lanes: count,
      freeLanes: count,
      jobs: count,
      backlogSeconds: count,
      cpu: count,
      disk: z.object({ free: count, total: count }).nullable(),
      startedAt: z.string(),
      lastSeen: z.string(),
    }),
  ),
});

/** Asks endpoints, by the addresses of their pods. */
export class EndpointClient {
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    connections: 1,
    maxResponseSize: MAX_BYTES,
    allowH2: false,
  });

  /** Rejects when there is no answer in time, or another one than expected. */
  cluster(origin: string): Promise<ClusterReport> {
    return this.#get(origin, '/v1/cluster', CLUSTER);
  }

  async workers(origin: string): Promise<readonly WorkerReport[]> {
    return (await this.#get(origin, '/v1/workers', WORKERS)).items;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  async #get<T>(origin: string, path: string, shape: z.ZodType<T>): Promise<T> {
    const { statusCode, body } = await this.#agent.request({
      ...{ origin, path, method: 'GET' },
      signal: AbortSignal.timeout(CONNECT_MS + ANSWER_MS),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode}: ${text.slice(0, 200)}`);
    const parsed = shape.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error).slice(0, 300)}`);
    return parsed.data;
  }
}
