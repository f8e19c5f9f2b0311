import { DIGEST_PATTERN } from '../jobs/digest.ts';
import type { Digest, JobId, JobState } from '../jobs/job.ts';
import { JOB_ID_PATTERN } from '../jobs/id.ts';

/** What the service says over HTTP, as far as the command line uses it. Times are ISO 8601. */

/** A job as the service shows it. */
export interface JobBody {
  readonly id: JobId;
  readonly state: JobState;
  readonly iterations: number;
  readonly position: number;
  /** 0 … 1. */
  readonly progress: number;
  readonly chain: Digest;
  /** Null unless done. */
  readonly digest: Digest | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly expiresAt: string | null;
  readonly computed: number | null;
  readonly reason: string | null;
  readonly worker: string | null;
  /** Iterations per second, and seconds left; null when not known. */
  readonly rate: number | null;
  readonly etaSeconds: number | null;
}

export interface JobPage {
  readonly items: readonly JobBody[];
  readonly next: string | null;
}

export interface WorkerBody {
  readonly id: string;
  readonly host: string;
  readonly node: string | null;
  readonly state: 'live' | 'draining' | 'left' | 'dead';
  readonly backend: string;
  readonly engines: number;
  readonly lanes: number;
  readonly freeLanes: number;
  readonly rate: number;
  readonly capacity: number;
  readonly jobs: number;
  readonly backlogSeconds: number;
  readonly cpu: number;
  readonly startedAt: string;
  readonly lastSeen: string;
}

export interface ClusterBody {
  readonly version: string;
  readonly mode: 'embedded' | 'cluster';
  readonly endpoint: { readonly id: string; readonly startedAt: string; readonly uptimeSeconds: number };
  readonly workers: { readonly live: number; readonly draining: number };
  readonly engines: number;
  readonly lanes: number;
  readonly freeLanes: number;
  readonly rate: number;
  readonly capacity: number;
  readonly backlog: {
    readonly running: number;
    readonly seconds: number | null;
    readonly queued: readonly {
      readonly class: number;
      readonly jobs: number;
      readonly iterations: number;
      readonly oldestSeconds: number | null;
    }[];
  };
  /** Servers of the bus and their disks, in bytes. Null where that is not known; older services do not say. */
  readonly bus?: {
    readonly brokers: readonly number[];
    readonly disks: readonly { readonly broker: number; readonly used: number; readonly total: number }[];
  } | null;
  readonly limits: {
    readonly maxIterations: number;
    readonly maxBodyBytes: number;
    readonly maxBatchItems: number;
    readonly inlineIterations: number;
  };
}

const STATES: readonly unknown[] = ['queued', 'running', 'done', 'cancelled', 'failed'];

/** Whether a job in this state will change no more. */
export function hasEnded(state: JobState): boolean {
  return state === 'done' || state === 'cancelled' || state === 'failed';
}

type Fields = Readonly<Record<string, unknown>>;

/** An object whose fields may be looked at; null for anything else. */
export function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** True when the value has what every job has: a service of another kind does not answer so by chance. */
export function isJobBody(value: unknown): value is JobBody {
  const job = asFields(value);
  if (!job) return false;
  const matches = (field: unknown, pattern: RegExp): boolean =>
    typeof field === 'string' && pattern.test(field);
  const named = matches(job['id'], JOB_ID_PATTERN) && matches(job['chain'], DIGEST_PATTERN);
  const counted = typeof job['iterations'] === 'number' && typeof job['position'] === 'number';
  const ended = job['state'] !== 'done' || matches(job['digest'], DIGEST_PATTERN);
  return named && counted && ended && STATES.includes(job['state']);
}

/** True for a page of jobs. */
export function isJobPage(value: unknown): value is JobPage {
  const page = asFields(value);
  if (!page || !Array.isArray(page['items'])) return false;
  return page['items'].every(isJobBody) && (page['next'] === null || typeof page['next'] === 'string');
}

/** True for the list of workers. */
export function isWorkerList(value: unknown): value is { readonly items: readonly WorkerBody[] } {
  const items = asFields(value)?.['items'];
  return (
    Array.isArray(items) &&
    items.every((item) => typeof asFields(item)?.['id'] === 'string' && 'backend' in item)
  );
}

/** True for the description of the cluster. */
export function isClusterBody(value: unknown): value is ClusterBody {
  const cluster = asFields(value);
  return (
    typeof cluster?.['version'] === 'string' &&
    asFields(cluster['workers']) !== null &&
    Array.isArray(asFields(cluster['backlog'])?.['queued']) &&
    asFields(cluster['limits']) !== null
  );
}
