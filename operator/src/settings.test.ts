import { expect, test } from '@jest/globals';
import { operatorSettings } from './settings.ts';

test('an empty environment is enough', () => {
  const settings = operatorSettings({});
  expect(settings).toMatchObject({
    ...{ inCluster: null, namespaces: null, namespace: 'default', lease: 'hashcluster-operator' },
    ...{ concurrency: 10, perSecond: 50, adminHost: '::', adminPort: 9090, logLevel: 'info' },
    defaults: {
      images: { hashcluster: 'hashcluster:dev', mongodb: 'mongo:6.0', kafka: 'apache/kafka:4.3.1' },
      operator: { namespace: 'default', podLabels: { 'app.kubernetes.io/name': 'hashcluster-operator' } },
      clusterDomain: 'cluster.local',
    },
  });
});

test('processes of one pod are told apart', () => {
  const [a, b] = [1, 2].map(() => operatorSettings({ POD_NAME: 'pod-1' }).identity);
  expect(a).toMatch(/^pod-1_[0-9a-f]{10}$/);
  expect(a).not.toBe(b);
});

test('a pod is told what to watch, as whom, and who it is', () => {
  const settings = operatorSettings({
    ...{ KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' },
    ...{ WATCH_NAMESPACES: 'a, b,a', POD_NAMESPACE: 'system', POD_LABELS: 'app=x,tier=' },
  });
  expect(settings).toMatchObject({
    ...{ inCluster: { host: '10.96.0.1', port: 6443 }, namespaces: ['a', 'b'] },
    defaults: { operator: { namespace: 'system', podLabels: { app: 'x', tier: '' } } },
  });
  expect(operatorSettings({ KUBERNETES_SERVICE_HOST: 'x', KUBECONFIG: '/k' }).inCluster).toBeNull();
});

test.each([
  ['WATCH_NAMESPACES', 'Upper'],
  ['POD_LABELS', 'nonsense'],
  ['IMAGE_KAFKA', 'a b'],
  ['CLUSTER_DOMAIN', '-'],
  ['CONCURRENCY', '0'],
  ['LOG_LEVEL', 'loud'],
])('%s cannot be "%s"', (name, value) => {
  expect(() => operatorSettings({ [name]: value })).toThrow(`${name}: expected`);
});
