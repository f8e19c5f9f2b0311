import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../../api/spec.ts';
import type { Component } from '../observed.ts';
import { disruptionBudget } from './disruption-budgets.ts';
import { httpRoute, ingress, urlOf } from './ingress.ts';
import { networkPolicy } from './network-policies.ts';
import { endpointService, headlessService } from './services.ts';
import { contextOf } from './testing.ts';

interface Rule {
  readonly from?: readonly Record<string, { readonly matchLabels: Record<string, string> }>[];
  readonly to?: Rule['from'];
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

/** `who:port`, for everything that a policy lets pass. */
function ways(spec: ClusterSpecInput, component: Component, direction: 'ingress' | 'egress'): string[] {
  const policy = networkPolicy(contextOf(spec), component)['spec'] as Record<string, readonly Rule[]>;
  return policy[direction]!.flatMap(({ from, to, ports }) => {
    const peers = from ?? to ?? [null];
    return peers.flatMap((peer) => {
      const pod = peer?.['podSelector']?.matchLabels;
      const space = peer?.['namespaceSelector']?.matchLabels['kubernetes.io/metadata.name'];
      const label = pod?.['app.kubernetes.io/component'] ?? pod?.['hashcluster.io/client'];
      const who = peer === null ? 'anywhere' : (label ?? space ?? JSON.stringify(peer['ipBlock']));
      return ports.map(({ port, protocol }) => `${who}:${port}${protocol === 'UDP' ? '/udp' : ''}`);
    });
  });
}

const DNS = [
  'kube-system:53/udp',
  'kube-system:53',
  ...['/udp', ''].map((udp) => `{"cidr":"169.254.20.10/32"}:53${udp}`),
];
const OUT = ['mongodb:27017', 'kafka:9092', ...DNS];
const EXTERNAL: ClusterSpecInput = {
  mongodb: { external: { secretName: 's', ports: [27018] } },
  kafka: { external: { brokers: ['a:9093', 'b:9093'] } },
};

describe('NetworkPolicies let pass exactly', () => {
  test.each<[string, Component, 'ingress' | 'egress', ClusterSpecInput, readonly string[]]>([
    [
      'to endpoints: clients, the operator, monitoring',
      'endpoint',
      'ingress',
      {},
      ['ingress-nginx:5000', 'hc:5000', 'operators:5000', 'operators:9090', 'monitoring:9090'],
    ],
    ['from endpoints: the servers, DNS', 'endpoint', 'egress', {}, OUT],
    ['to workers: monitoring, the operator', 'worker', 'ingress', {}, ['monitoring:9090', 'operators:9090']],
    ['from workers: the servers, DNS', 'worker', 'egress', {}, OUT],
    [
      'to MongoDB: its clients and itself',
      'mongodb',
      'ingress',
      {},
      ['endpoint:27017', 'worker:27017', 'operators:27017', 'mongodb:27017'],
    ],
    ['from MongoDB: itself, DNS', 'mongodb', 'egress', {}, ['mongodb:27017', ...DNS]],
    [
      'to Kafka: its clients and itself',
      'kafka',
      'ingress',
      {},
      ['endpoint:9092', 'worker:9092', 'operators:9092', 'kafka:9092', 'kafka:9093'],
    ],
    ['from Kafka: itself, DNS', 'kafka', 'egress', {}, ['kafka:9092', 'kafka:9093', ...DNS]],
    [
      'to external servers: their ports',
      'worker',
      'egress',
      EXTERNAL,
      ['anywhere:27018', 'anywhere:9093', ...DNS],
    ],
    [
      'nobody where nobody is named',
      'worker',
      'ingress',
      { networkPolicy: { monitoring: [] } },
      ['operators:9090'],
    ],
    [
      'to the collector, where one is named',
      'worker',
      'egress',
      {
        monitoring: { otlp: { endpoint: 'https://c.monitoring/v1' } },
        networkPolicy: {
          telemetry: [
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
          ],
        },
      },
      [...OUT.slice(0, 2), 'monitoring:443', ...DNS],
    ],
  ])('%s', (_, component, direction, spec, expected) => {
    expect(ways(spec, component, direction)).toEqual(expected);
  });

  test.each<Component>(['endpoint', 'worker', 'mongodb', 'kafka'])(
    'both ways: everything else of %s is closed',
    (component) => {
      expect(networkPolicy(contextOf(), component)).toHaveProperty('spec.policyTypes', ['Ingress', 'Egress']);
    },
  );
});

describe('the way in', () => {
  const nginx = 'nginx.ingress.kubernetes.io';

  test.each<[string, ClusterSpecInput['ingress'], object]>([
    [
      'lets bodies and waits pass at nginx',
      {},
      {
        [`${nginx}/proxy-body-size`]: '1073741824',
        [`${nginx}/proxy-read-timeout`]: '90',
        [`${nginx}/proxy-buffering`]: 'off',
      },
    ],
    ['lets waits pass at HAProxy', { className: 'haproxy' }, { 'haproxy.org/timeout-server': '90s' }],
    [
      'takes what is given over its own',
      { annotations: { [`${nginx}/proxy-body-size`]: '1' } },
      { [`${nginx}/proxy-body-size`]: '1' },
    ],
    ['cuts its path off at nginx', { path: '/hash/' }, { [`${nginx}/rewrite-target`]: '/$2' }],
  ])('%s', (_, given, annotations) => {
    const made = ingress(contextOf({ ingress: { enabled: true, ...given } }))!;
    expect(made.metadata.annotations).toMatchObject(annotations);
  });

  test('leads to the endpoints, over TLS where that is asked for', () => {
    const made = ingress(
      contextOf({ ingress: { enabled: true, host: 'a.b', className: 'nginx', tls: { enabled: true } } }),
    );
    expect(made).toHaveProperty('spec', {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['a.b'], secretName: 'hc-tls' }],
      rules: [
        {
          host: 'a.b',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'hc-endpoint', port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    });
  });

  test('is not there when nobody asks for it', () => {
    expect(ingress(contextOf())).toBeNull();
    expect(httpRoute(contextOf())).toBeNull();
  });

  const gateway: ClusterSpecInput['ingress'] = {
    enabled: true,
    type: 'HTTPRoute',
    host: 'a.b',
    path: '/x',
    parentRefs: [{ name: 'g' }],
  };

  test('is an HTTPRoute where the Gateway API is there', () => {
    const api = { httpRoute: true, podMetrics: true };
    const made = httpRoute(contextOf({ ingress: gateway }, { api }));
    expect(made).toHaveProperty('spec.hostnames', ['a.b']);
    expect(made).toHaveProperty('spec.rules.0.filters.0.type', 'URLRewrite');
    expect(httpRoute(contextOf({ ingress: gateway }))).toBeNull();
    expect(ingress(contextOf({ ingress: gateway }, { api }))).toBeNull();
  });

  test.each<[ClusterSpecInput['ingress'], string]>([
    [{}, 'http://hc-endpoint.ns.svc.cluster.local:5000'],
    [{ enabled: true }, 'http://hc-endpoint.ns.svc.cluster.local:5000'],
    [{ enabled: true, host: 'a.b' }, 'http://a.b'],
    [{ enabled: true, host: 'a.b', path: '/x', tls: { enabled: true } }, 'https://a.b/x'],
  ])('given %j, the service is reached at %s', (given, url) => {
    expect(urlOf(contextOf({ ingress: given }))).toBe(url);
  });
});

describe('Services', () => {
  test('lead to endpoints by one address', () => {
    expect(endpointService(contextOf())).toMatchObject({
      metadata: { name: 'hc-endpoint' },
      spec: { type: 'ClusterIP', ports: [{ port: 5000, targetPort: 'http' }] },
    });
  });

  test.each(['mongodb', 'kafka'] as const)('give members of %s names before they are ready', (server) => {
    expect(headlessService(contextOf(), server)).toMatchObject({
      spec: { clusterIP: 'None', publishNotReadyAddresses: true },
    });
  });
});

describe('a PodDisruptionBudget', () => {
  test.each<[Component, unknown]>([
    ['endpoint', 1],
    ['worker', '25%'],
    ['mongodb', 1],
    ['kafka', 1],
  ])('lets %s lose %p, and those that are ill anyway', (component, maxUnavailable) => {
    expect(disruptionBudget(contextOf(), component)).toMatchObject({
      spec: { maxUnavailable, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    });
  });
});
