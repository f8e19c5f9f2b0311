import { describe, expect, test } from '@jest/globals';
import { allChildren, contextOf, templateOf } from './testing.ts';

const EXTERNAL = {
  mongodb: { external: { secretName: 'store' } },
  kafka: {
    external: { brokers: ['k:9093'], secretName: 'bus', tls: { enabled: true, caSecretName: 'bus-ca' } },
  },
};

const workloads = [contextOf(), contextOf(EXTERNAL)]
  .flatMap(allChildren)
  .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
  .map((workload) => [workload.metadata.name, workload] as const);

/** Volumes that Pod Security `restricted` lets pass. */
const VOLUMES = ['configMap', 'emptyDir', 'projected', 'secret', 'downwardAPI', 'persistentVolumeClaim'];

// Source: Kubernetes, "Pod Security Standards", restricted.
describe.each(workloads)('a pod of %s', (_, workload) => {
  const { spec } = templateOf(workload);
  const [container] = spec.containers;

  test('passes Pod Security restricted', () => {
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec.securityContext['runAsUser']).toBeGreaterThan(0);
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    for (const { name, ...volume } of spec.volumes)
      expect([name, VOLUMES]).toEqual([name, expect.arrayContaining(Object.keys(volume))]);
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(spec).not.toHaveProperty(field);
  });

  test('writes to nothing but volumes, and to no more than their limit', () => {
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
    for (const { emptyDir } of spec.volumes) {
      if (emptyDir !== undefined) expect(emptyDir).toHaveProperty('sizeLimit');
    }
  });

  test('has no token for the API server, and knows nothing of other Services', () => {
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
  });

  test('has the three probes, and asks for what it needs', () => {
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      expect(container).toHaveProperty(probe);
    expect(container).toHaveProperty('resources.requests.memory');
    expect(container).toHaveProperty('resources.limits.memory');
  });

  test('has a volume for each mount, and a mount for each volume but those of claims', () => {
    const mounted = container.volumeMounts.map(({ name }) => name).filter((name) => name !== 'data');
    expect(mounted.toSorted()).toEqual(spec.volumes.map(({ name }) => String(name)).toSorted());
  });

  test('prefers another node than its likes', () => {
    expect(spec).toHaveProperty('topologySpreadConstraints.0.topologyKey', 'kubernetes.io/hostname');
  });
});

describe('placement', () => {
  test('goes into the pods as it is given, with the labels that a spread needs', () => {
    const placement = {
      ...{ nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }], priorityClassName: 'high' },
      ...{ affinity: { podAffinity: {} }, topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }] },
    };
    const children = allChildren(contextOf({ worker: { placement } }));
    const worker = children.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'hc-worker',
    )!;
    expect(templateOf(worker).spec).toMatchObject({
      ...{ nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }], priorityClassName: 'high' },
      affinity: { podAffinity: {} },
      topologySpreadConstraints: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { 'app.kubernetes.io/component': 'worker' } } },
      ],
    });
  });
});

describe('every child', () => {
  const children = allChildren(contextOf({ ingress: { enabled: true } }));

  test('says whose it is', () => {
    for (const { metadata } of children) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/instance': 'hc',
        'app.kubernetes.io/managed-by': 'hashcluster-operator',
      });
      expect(metadata.ownerReferences).toEqual([
        expect.objectContaining({ uid: 'uid-hc', controller: true }),
      ]);
    }
  });

  test('has a kind and a name of its own', () => {
    const keys = children.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
