import { readFile, readdir } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../../api/spec.ts';
import type { KubeObject } from '../kube.ts';
import type { Role } from '../observed.ts';
import { roleDeployment } from './deployments.ts';
import { contextOf, envOf, templateOf } from './testing.ts';

const EXTERNAL: ClusterSpecInput = {
  mongodb: { database: 'hashes', external: { secretName: 'store' } },
  kafka: {
    external: {
      ...{ brokers: ['k1:9093', 'k2:9093'], secretName: 'bus', mechanism: 'plain', replication: 2 },
      tls: { enabled: true, caSecretName: 'bus-ca' },
    },
  },
};

function env(spec: ClusterSpecInput, role: Role = 'endpoint'): Record<string, string> {
  return envOf(roleDeployment(contextOf(spec), role));
}

describe('the environment', () => {
  test.each<[string, ClusterSpecInput, Role, Record<string, string>]>([
    [
      'finds the managed servers',
      {},
      'endpoint',
      {
        MONGODB_URI:
          'mongodb://endpoint:$(MONGODB_PASSWORD)@hc-mongodb-0.hc-mongodb.ns.svc.cluster.local:27017,hc-mongodb-1.hc-mongodb.ns.svc.cluster.local:27017,hc-mongodb-2.hc-mongodb.ns.svc.cluster.local:27017/?replicaSet=rs0&authSource=admin',
        KAFKA_USERNAME: 'endpoint',
        KAFKA_SASL_MECHANISM: 'scram-sha-512',
        KAFKA_REPLICATION: '3',
      },
    ],
    ['has a user of its own for each role', {}, 'worker', { KAFKA_USERNAME: 'worker' }],
    [
      'finds external servers',
      EXTERNAL,
      'worker',
      {
        MONGODB_URI: '{"secretKeyRef":{"name":"store","key":"uri"}}',
        MONGODB_DATABASE: 'hashes',
        KAFKA_BROKERS: 'k1:9093,k2:9093',
        KAFKA_USERNAME: '{"secretKeyRef":{"name":"bus","key":"username"}}',
        KAFKA_PASSWORD: '{"secretKeyRef":{"name":"bus","key":"password"}}',
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_TLS_CA_FILE: '/etc/hashcluster/kafka-ca/ca.crt',
        KAFKA_REPLICATION: '2',
      },
    ],
    [
      'has one copy of everything on one broker',
      { kafka: { managed: { replicas: 1 } } },
      'worker',
      { KAFKA_REPLICATION: '1' },
    ],
    ['believes no proxy where there is none', {}, 'endpoint', { TRUST_PROXY_HOPS: '0' }],
    ['believes the ingress', { ingress: { enabled: true } }, 'endpoint', { TRUST_PROXY_HOPS: '1' }],
    [
      'serves those who may use it',
      { limits: { allowedClients: ['10.0.0.0/8', '2001:db8::/32'] } },
      'endpoint',
      { ALLOWED_CLIENTS: '10.0.0.0/8,2001:db8::/32' },
    ],
    [
      'does not cut waits off',
      { limits: { maxWaitSeconds: 600 } },
      'endpoint',
      { WAIT_SECONDS_MAX: '600', IDLE_TIMEOUT: '660s' },
    ],
    [
      'has a thread for each core that it may use',
      { worker: { resources: { limits: { cpu: '3500m' } } } },
      'worker',
      { HASH_ENGINES: '4' },
    ],
    [
      'has less time for draining than the pod has',
      { worker: { terminationGracePeriodSeconds: 90 } },
      'worker',
      { DRAIN_TIMEOUT: '75s' },
    ],
    [
      'sends only the signals that are asked for',
      { monitoring: { otlp: { endpoint: 'http://c:4318', signals: ['traces'] } } },
      'worker',
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    ],
    [
      'takes what is given over its own',
      { endpoint: { env: [{ name: 'MAX_BODY_BYTES', value: '7' }] } },
      'endpoint',
      { MAX_BODY_BYTES: '7' },
    ],
  ])('%s', (_, spec, role, expected) => {
    expect(env(spec, role)).toMatchObject(expected);
  });

  test('names each variable once', () => {
    const deployment = roleDeployment(
      contextOf({ endpoint: { env: [{ name: 'LOG_LEVEL', value: 'debug' }] } }),
      'endpoint',
    );
    const names = templateOf(deployment).spec.containers[0].env!.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('keeps passwords in Secrets', () => {
    for (const [name, value] of Object.entries(env({}))) {
      if (/PASSWORD/.test(name)) expect(value).toMatch(/^\{"secretKeyRef"/);
    }
  });

  test('has no threads said where no CPU limit is', () => {
    expect(env({ worker: { resources: { limits: { memory: '1Gi' } } } }, 'worker')).not.toHaveProperty(
      'HASH_ENGINES',
    );
  });

  test('names nothing that the service does not read', async () => {
    const services = new URL('../../../../services/src/', import.meta.url);
    const files = (await readdir(services, { recursive: true })).filter((file) => /settings\.ts$/.test(file));
    const sources = await Promise.all(files.map((file) => readFile(new URL(file, services), 'utf8')));
    const otlp = { monitoring: { otlp: { endpoint: 'http://c:4318' } } };
    const names = [
      ...Object.keys(env(otlp)),
      ...Object.keys(env(EXTERNAL, 'worker')),
      ...Object.keys(env({}, 'worker')),
    ];
    // The first is a part of MONGODB_URI; of the others the service puts the names together.
    const known = /^(MONGODB_PASSWORD|OTEL_(TRACES|METRICS|LOGS)_EXPORTER)$/;
    const isRead = (name: string) =>
      known.test(name) || sources.some((source) => source.includes(`'${name}'`));
    expect(names.filter((name) => !isRead(name))).toEqual([]);
  });
});

describe('a Deployment', () => {
  test('has no number of pods: that is the scaler’s', () => {
    expect(roleDeployment(contextOf(), 'worker')['spec']).not.toHaveProperty('replicas');
  });

  test('never has fewer endpoints while they are replaced', () => {
    expect(roleDeployment(contextOf(), 'endpoint')).toHaveProperty('spec.strategy.rollingUpdate', {
      maxUnavailable: 0,
      maxSurge: 1,
    });
  });

  test.each<[string, ClusterSpecInput, string]>([
    ['the operator’s', {}, 'hashcluster:1'],
    ['that of a version', { version: '0.3.0' }, 'hashcluster:0.3.0'],
    ['one of its own', { image: 'registry:5000/a/b@sha256:0' }, 'registry:5000/a/b@sha256:0'],
  ])('runs %s image', (_, spec, image) => {
    expect(templateOf(roleDeployment(contextOf(spec), 'endpoint')).spec.containers[0]).toMatchObject({
      image,
    });
  });

  test('tells Prometheus where metrics are, unless told not to', () => {
    const annotations = (spec: ClusterSpecInput) =>
      templateOf(roleDeployment(contextOf(spec), 'worker')).metadata.annotations;
    expect(annotations({})).toMatchObject({ 'prometheus.io/port': '9090', 'prometheus.io/path': '/metrics' });
    expect(annotations({ monitoring: { scrape: false } })).toBeUndefined();
  });
});

describe('the replica set that pods must find', () => {
  const context = contextOf({ image: 'hashcluster:1' });
  const made = roleDeployment(context, 'endpoint');
  const variable = (live: KubeObject | null): string | undefined => {
    const observed = { ...context.observed, children: live ? [live] : [] };
    return envOf(roleDeployment({ ...context, observed }, 'endpoint'))['MONGODB_REPLICA_SET_ID'];
  };
  const before = (image: string): KubeObject => {
    const container = { image, env: [{ name: 'MONGODB_URI' }] };
    return { ...made, spec: { template: { spec: { containers: [container] } } } };
  };
  const reference = expect.stringContaining('"hc-mongodb","key":"replicaSetId","optional":true') as unknown;

  test.each<[string, KubeObject | null, unknown]>([
    ['is named to new pods', null, reference],
    ['stays named', made, reference],
    ['is not named to pods that run without it', before('hashcluster:1'), undefined],
    ['is named when they get another image anyway', before('hashcluster:0'), reference],
  ])('%s', (_case, live, expected) => {
    expect(variable(live)).toEqual(expected);
  });
});

describe('the replica set that pods were started with', () => {
  const SET = 'hashcluster.io/replica-set-id';

  /** The Deployment that follows when the cluster is known to have this set; null: none is known. */
  function next(live: KubeObject | null, id: string | null): KubeObject {
    const { observed, cluster } = contextOf({}, { children: live ? [live] : [] });
    const known = { ...cluster, status: id === null ? {} : { replicaSet: { id } } };
    return roleDeployment({ observed: { ...observed, cluster: known }, cluster: known }, 'endpoint');
  }

  const restartsFor = (deployment: KubeObject): string | undefined =>
    templateOf(deployment).metadata.annotations?.[SET];

  test.each<[string, (string | null)[], (string | undefined)[]]>([
    ['the first set of a cluster', [null, 'a', 'a'], [undefined, undefined, undefined]],
    ['a set that takes the place of a lost one', ['a', null, 'b', 'b'], [undefined, undefined, 'b', 'b']],
    ['a set that a user decides for, and back', ['a', 'b', 'a'], [undefined, 'b', 'a']],
  ])('restarts them, or not: %s', (_case, sets, restarts) => {
    let live: KubeObject | null = null;
    const seen = sets.map((id) => restartsFor((live = next(live, id))));
    expect(seen).toEqual(restarts);
  });
});
