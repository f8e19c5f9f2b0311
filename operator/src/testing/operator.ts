import type { KubeConfig } from '@kubernetes/client-node';
import { Transport } from '../control/transport.ts';
import { Measures } from '../measures.ts';
import { Caches } from '../observe/caches.ts';
import { Operator } from '../operator.ts';
import type { OperatorDefaults } from '../plan/observed.ts';
import type { Metrics } from '../runtime/measures.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import type { KafkaServers } from '../servers/kafka.ts';
import type { MongoServers } from '../servers/mongodb.ts';

/** What an operator works with in a test. */
export interface Surroundings {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly mongo: MongoServers;
  readonly kafka?: KafkaServers;
  /** Told how long each round had to wait for its turn, and what it took, in milliseconds. */
  readonly onWait?: (ms: number) => void;
  readonly onRound?: (ms: number) => void;
  /** From one comparison of a cache with a list to the next, in milliseconds; every one costs the API server much. */
  readonly auditMs?: number;
  /** The namespace that the operator itself runs in. */
  readonly home?: string;
}

/** An operator that leads without an election, so that the next one need not wait for its lease to run out. */
export interface TestOperator {
  readonly logger: RecordingLogger;
  /** Idempotent. */
  stop(): Promise<void>;
}

const DEFAULTS: OperatorDefaults = {
  images: { hashcluster: 'hashcluster:1', mongodb: 'mongo:6.0', kafka: 'apache/kafka:4.3.1' },
  operator: { namespace: 'operators', podLabels: { 'app.kubernetes.io/name': 'hashcluster-operator' } },
  clusterDomain: 'cluster.local',
};
/** Nothing is waited for as long as on a real network. */
const REFLECTOR = { auditMs: 60_000, auditGraceMs: 200, backoff: { baseMs: 20, capMs: 200 } };

/** Starts all of the operator but its election, its probes and its metrics. */
export async function startOperator(surroundings: Surroundings): Promise<TestOperator> {
  const { config, namespace, mongo, kafka, auditMs = REFLECTOR.auditMs } = surroundings;
  const transport = new Transport({ config, perSecond: 5_000, burst: 5_000, retryBudgetMs: 2_000 });
  const ending = new AbortController();
  const logger = new RecordingLogger();
  const caches = new Caches({
    ...{ transport, namespaces: [namespace], reflector: { ...REFLECTOR, auditMs } },
    onChange: (key, own) => operator.changed(key, own),
    onTrouble: (cache, phase, error) => logger.info('A watch begins again', { cache, phase, error }),
    onMissed: (cache, changes) => logger.warn('A watch had missed changes', { cache, changes }),
  });
  const term = { signal: ending.signal, check: () => ending.signal.throwIfAborted() };
  const home = surroundings.home ?? DEFAULTS.operator.namespace;
  const defaults = { ...DEFAULTS, operator: { ...DEFAULTS.operator, namespace: home } };
  const operator = new Operator({
    ...{ transport, caches, term, logger, mongo, ...(kafka && { kafka }), instance: 'test', defaults },
    measures: new Measures(metricsOf(surroundings)),
  });
  caches.start();
  const started = operator
    .start()
    .catch((error: unknown) => logger.error('The operator did not start', { error }));
  return {
    logger,
    stop: async () => {
      ending.abort(new Error('the test is over'));
      await Promise.all([operator.stop(), caches.stop()]);
      await transport.stop();
      await started;
    },
  };
}

function metricsOf({ onWait, onRound }: Surroundings): Metrics {
  const nothing = { add: () => undefined, record: () => undefined };
  const told = (tell?: (ms: number) => void) => ({ record: (seconds: number) => tell?.(seconds * 1000) });
  const histograms = new Map([
    ['queue.wait', told(onWait)],
    ['reconcile.duration', told(onRound)],
  ]);
  return {
    counter: () => nothing,
    histogram: (name) => histograms.get(name.replace('hashcluster.operator.', '')) ?? nothing,
    gauge: () => undefined,
  };
}
