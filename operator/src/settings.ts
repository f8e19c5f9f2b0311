import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import type { OperatorDefaults } from './plan/observed.ts';
import { type Env, type EnvReader, readSettings } from './runtime/env-reader.ts';
import { LOG_LEVELS, type LogLevel } from './runtime/logger.ts';

export interface OperatorSettings {
  /** The API server of the pod that this process runs in; null: a kubeconfig names it. */
  readonly inCluster: { readonly host: string; readonly port: number } | null;
  /** Where HashClusters are looked for; null: everywhere. */
  readonly namespaces: readonly string[] | null;
  /** Where the operator itself runs, and its Lease is. */
  readonly namespace: string;
  /** Unique among all processes there ever are. */
  readonly identity: string;
  readonly lease: string;
  readonly defaults: OperatorDefaults;
  readonly concurrency: number;
  /** Of requests to the API server. */
  readonly perSecond: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly logLevel: LogLevel;
}

const NAME = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const ONE_NAME = new RegExp(`^${NAME}$`);
const NAMES = new RegExp(`^${NAME}(, *${NAME})*$`);
const IMAGE = { pattern: /^[\w./:@-]{1,512}$/, expected: 'an image such as registry/name:tag' };
const DOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const LABELS = /^[\w./-]+=[\w.-]*(,[\w./-]+=[\w.-]*)*$/;

/** Variables and what they mean, for `--help`. */
export const VARIABLES: Readonly<Record<string, string>> = {
  KUBECONFIG: 'where the API server is and as whom to come, outside of a pod',
  WATCH_NAMESPACES: 'namespaces with HashClusters, by commas; all without it',
  POD_NAMESPACE: 'where the operator runs and has its Lease (default: default)',
  POD_NAME: 'the name of this process (default: the host name)',
  POD_LABELS: 'labels of the operator’s pods, a=b,c=d: NetworkPolicies let them in',
  LEASE_NAME: 'the Lease by which one process leads (default: hashcluster-operator)',
  IMAGE_HASHCLUSTER: 'what endpoints and workers run where a spec names nothing',
  IMAGE_MONGODB: 'the same for managed MongoDB',
  IMAGE_KAFKA: 'the same for managed Kafka',
  CLUSTER_DOMAIN: 'the DNS domain of the cluster (default: cluster.local)',
  CONCURRENCY: 'HashClusters that are reconciled at once (default: 10)',
  API_REQUESTS_PER_SECOND: 'requests to the API server at most (default: 50)',
  ADMIN_HOST: 'where probes and metrics are answered (default: ::)',
  ADMIN_PORT: 'the port for them (default: 9090)',
  LOG_LEVEL: `one of ${LOG_LEVELS.join(', ')} (default: info)`,
};

/** The environment of this process. */
export function ownEnvironment(): Env {
  return process.env;
}

function defaultsOf(read: EnvReader, namespace: string): OperatorDefaults {
  const labels = read.text('POD_LABELS', {
    default: 'app.kubernetes.io/name=hashcluster-operator',
    pattern: LABELS,
    expected: 'labels such as a=b,c=d',
  });
  return {
    images: {
      hashcluster: read.text('IMAGE_HASHCLUSTER', { default: 'hashcluster:dev', ...IMAGE }),
      mongodb: read.text('IMAGE_MONGODB', { default: 'mongo:6.0', ...IMAGE }),
      kafka: read.text('IMAGE_KAFKA', { default: 'apache/kafka:4.3.1', ...IMAGE }),
    },
    operator: {
      namespace,
      podLabels: Object.fromEntries(labels.split(',').map((pair) => pair.split('='))) as Record<
        string,
        string
      >,
    },
    clusterDomain: read.text('CLUSTER_DOMAIN', {
      default: 'cluster.local',
      pattern: DOMAIN,
      expected: 'a DNS domain',
    }),
  };
}

/** Throws `SettingsError`, which names all that is wrong at once. */
export function operatorSettings(env: Env): OperatorSettings {
  return readSettings(env, (read) => {
    const namespace = read.text('POD_NAMESPACE', {
      default: 'default',
      pattern: ONE_NAME,
      expected: 'a namespace',
    });
    const watched = read.text('WATCH_NAMESPACES', {
      default: null,
      pattern: NAMES,
      expected: 'namespaces by commas',
    });
    const name = read.text('POD_NAME', { default: hostname() });
    const apiHost = read.text('KUBERNETES_SERVICE_HOST', { default: null });
    const apiPort = read.integer('KUBERNETES_SERVICE_PORT', { default: 443, min: 1, max: 65_535 });
    return {
      // Whoever names a kubeconfig means it, in a pod too.
      inCluster: apiHost !== null && !env['KUBECONFIG'] ? { host: apiHost, port: apiPort } : null,
      namespace,
      namespaces: watched === null ? null : [...new Set(watched.split(/, */))],
      // A container that starts again in its pod is another process.
      identity: `${name}_${randomBytes(5).toString('hex')}`,
      lease: read.text('LEASE_NAME', {
        default: 'hashcluster-operator',
        pattern: ONE_NAME,
        expected: 'a name',
      }),
      defaults: defaultsOf(read, namespace),
      concurrency: read.integer('CONCURRENCY', { default: 10, min: 1, max: 100 }),
      perSecond: read.integer('API_REQUESTS_PER_SECOND', { default: 50, min: 1, max: 10_000 }),
      adminHost: read.text('ADMIN_HOST', { default: '::' }),
      adminPort: read.integer('ADMIN_PORT', { default: 9090, min: 0, max: 65_535 }),
      logLevel: read.choice('LOG_LEVEL', { default: 'info', of: LOG_LEVELS }),
    };
  });
}
