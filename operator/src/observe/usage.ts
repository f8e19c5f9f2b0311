import { collectionPath } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import type { Pod } from '../plan/kube.ts';
import type { PodUsage, Reading } from '../plan/observed.ts';
import { parseQuantity } from '../plan/quantity.ts';
import type { Clock } from '../runtime/clock.ts';
import { OURS } from './caches.ts';
import { Poll } from './poll.ts';

/** Source: metrics.k8s.io/v1beta1 `PodMetrics`. */
interface PodMetrics {
  readonly metadata: { readonly name: string; readonly namespace: string };
  /** RFC 3339: the end of the window. */
  readonly timestamp: string;
  readonly containers: readonly { readonly usage: { readonly cpu?: string; readonly memory?: string } }[];
}

/** What a pod uses, and where it is. */
export interface PlacedUsage extends PodUsage {
  readonly namespace: string;
}

/** What all pods of ours use, in one namespace or in all, by one request. */
export async function readUsage(transport: Transport, namespace: string | undefined): Promise<PlacedUsage[]> {
  const { items = [] } = await transport.request<{ items?: readonly PodMetrics[] }>({
    method: 'GET',
    path: collectionPath({ apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' }, namespace),
    query: { labelSelector: OURS },
    again: 'refused',
  });
  return items.map(({ metadata, timestamp, containers }) => ({
    ...{ namespace: metadata.namespace, pod: metadata.name, at: Date.parse(timestamp) },
    cpuCores: containers.reduce((sum, { usage }) => sum + (parseQuantity(usage.cpu) ?? 0), 0),
    memoryBytes: containers.reduce((sum, { usage }) => sum + (parseQuantity(usage.memory) ?? 0), 0),
  }));
}

export interface UsageBookOptions {
  readonly transport: Transport;
  readonly namespaces: readonly (string | undefined)[];
  readonly clock: Clock;
}

/** As often as metrics-server measures. */
const EVERY_MS = 15_000;
const FAILING_MS = 60_000;

type ByPod = ReadonlyMap<string, PodUsage>;

/** What pods use, asked for all HashClusters of a namespace at once. */
export class UsageBook {
  /** By namespace; the empty one is all. */
  readonly #polls: ReadonlyMap<string, Poll<ByPod>>;
  readonly #clock: Clock;

  constructor({ transport, namespaces, clock }: UsageBookOptions) {
    this.#clock = clock;
    this.#polls = new Map(
      namespaces.map((namespace) => [namespace ?? '', usagePoll(transport, namespace, clock)]),
    );
  }

  /** What these pods use, as far as that is measured. */
  of(namespace: string, pods: readonly Pod[]): Reading<readonly PodUsage[]> {
    const poll = this.#polls.get(namespace) ?? this.#polls.get('');
    const reading = poll?.read() ?? { at: this.#clock.now(), error: 'metrics.k8s.io has not answered yet' };
    if ('error' in reading) return reading;
    const { at, value } = reading;
    const rows = pods.map(({ metadata: { name } }) => value.get(`${namespace}/${name}`));
    return { at, value: rows.filter((row) => row !== undefined) };
  }
}

function usagePoll(transport: Transport, namespace: string | undefined, clock: Clock): Poll<ByPod> {
  return new Poll<ByPod>({
    ...{ clock, failingMs: FAILING_MS, everyMs: () => EVERY_MS },
    ask: async () => {
      const rows = await readUsage(transport, namespace);
      return new Map(rows.map(({ namespace: place, ...row }) => [`${place}/${row.pod}`, row]));
    },
    // Numbers that change all the time are no news.
    gist: () => null,
    onNews: () => undefined,
  });
}
