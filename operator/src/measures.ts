import type { Attempt } from './control/transport.ts';
import type { CacheFacts } from './observe/caches.ts';
import type { Counter, Histogram, Metrics, Observation } from './runtime/measures.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What gauges look at. */
export interface Watched {
  readonly caches: () => readonly CacheFacts[];
  /** Null while this process does not lead. */
  readonly queue: () => { readonly depth: number; readonly running: number; readonly failing: number } | null;
}

/** The operator's numbers for the monitoring. */
export class Measures {
  readonly #metrics: Metrics;
  readonly #rounds: Histogram;
  readonly #waits: Histogram;
  readonly #actions: Counter;
  readonly #writes: Counter;
  readonly #requests: Histogram;
  readonly #missed: Counter;
  readonly #troubles: Counter;

  constructor(metrics: Metrics) {
    const name = (own: string): string => `hashcluster.operator.${own}`;
    const seconds = (description: string) => ({ description, unit: 's', boundaries: SECONDS });
    this.#metrics = metrics;
    this.#rounds = metrics.histogram(name('reconcile.duration'), seconds('Rounds over one HashCluster'));
    this.#waits = metrics.histogram(name('queue.wait'), seconds('From a change to the round over it'));
    this.#requests = metrics.histogram(name('api.request.duration'), seconds('Requests to the API server'));
    this.#actions = metrics.counter(name('actions'), { description: 'Actions carried out' });
    this.#writes = metrics.counter(name('api.writes'), { description: 'Objects written' });
    this.#missed = metrics.counter(name('watch.missed'), {
      description: 'Changes that only an audit has found',
    });
    this.#troubles = metrics.counter(name('watch.troubles'), { description: 'Lists and watches that broke' });
  }

  /** Times a round, and counts whether it came to its end. */
  async timed<T>(round: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    let result = 'error';
    try {
      const value = await round();
      result = 'ok';
      return value;
    } finally {
      this.#rounds.record((performance.now() - begun) / 1000, { result });
    }
  }

  waited(ms: number): void {
    this.#waits.record(ms / 1000);
  }

  acted(kind: string): void {
    this.#actions.add(1, { kind });
  }

  wrote(method: string): void {
    this.#writes.add(1, { method });
  }

  requested({ method, status, seconds }: Attempt): void {
    this.#requests.record(seconds, { method, status });
  }

  missed(cache: string, changes: number): void {
    this.#missed.add(changes, { cache });
  }

  troubled(cache: string, phase: string): void {
    this.#troubles.add(1, { cache, phase });
  }

  /** Gauges, read when somebody collects. */
  watch({ caches, queue }: Watched): void {
    const gauge = (name: string, description: string, read: () => readonly Observation[]): void =>
      this.#metrics.gauge(`hashcluster.operator.${name}`, { description }, read);
    const ofCaches = (value: (facts: CacheFacts) => number) => (): Observation[] =>
      caches().map((facts) => ({ value: value(facts), labels: { cache: facts.name } }));
    const ofQueue = (part: 'depth' | 'running' | 'failing') => (): Observation[] => {
      const now = queue();
      return now === null ? [] : [{ value: now[part] }];
    };
    gauge('leader', '1 while this process leads', () => [{ value: queue() === null ? 0 : 1 }]);
    gauge(
      'watch.silence.seconds',
      'Since the API server last said anything',
      ofCaches(({ silentMs }) => silentMs / 1000),
    );
    gauge(
      'cache.objects',
      'Objects in a cache',
      ofCaches(({ objects }) => objects),
    );
    gauge('queue.depth', 'HashClusters that wait for their round', ofQueue('depth'));
    gauge('queue.running', 'HashClusters in their round', ofQueue('running'));
    gauge('queue.failing', 'HashClusters whose last round failed', ofQueue('failing'));
  }
}
