import type { Reference } from '../audit/job-mix.ts';
import { Cluster, type ClusterOptions, type Servers } from './cluster.ts';

/** What a measurement has to work with. */
export interface Bench {
  readonly servers: Servers;
  readonly reference: Reference;
  readonly bin: string;
  readonly seed: string;
  readonly say: (line: string) => void;
}

/** Something that is measured rather than harmed. Its figures become one JSON line; `met` says whether all bars are. */
export interface Measurement {
  readonly name: string;
  readonly says: string;
  readonly run: (bench: Bench) => Promise<{ readonly met: boolean } & Readonly<Record<string, unknown>>>;
}

/** A cluster of its own for a measurement, gone when that is over. */
export async function withCluster<T>(
  { servers, bin, seed }: Bench,
  options: Pick<ClusterOptions, 'endpoints' | 'workers' | 'env'> & { readonly name: string },
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await Cluster.start(servers, { ...options, seed, bin });
  try {
    return await use(cluster);
  } finally {
    await cluster.remove();
  }
}

export interface Answer {
  readonly id: string;
  readonly state: string;
  readonly digest: string | null;
  readonly computed: number | null;
}

/** Submits a job at an address, waiting for its end for so many seconds. Rejects on anything but an answer. */
export async function submit(url: string, body: object, waitSeconds = 0): Promise<Answer> {
  const answer = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: `wait=${waitSeconds}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json() as Promise<Answer>;
}
