import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../api/spec.ts';
import type { Action } from './action.ts';
import { plan } from './plan.ts';
import { World } from './testing/world.ts';

function settled(spec: ClusterSpecInput = {}): World {
  const world = new World(spec);
  world.settle();
  return world;
}

/** What was done since, without what only tells. */
function deeds(actions: readonly Action[]): string[] {
  return actions
    .filter(({ kind }) => !['status', 'remember', 'event'].includes(kind))
    .map((action) => {
      if (action.kind === 'apply') return `apply ${action.object.kind}/${action.object.metadata.name}`;
      return 'ref' in action ? `${action.kind} ${action.ref.kind}/${action.ref.name}` : action.kind;
    });
}

function since(world: World, change: () => void): string[] {
  const before = world.log.length;
  change();
  world.settle();
  return deeds(world.log.slice(before));
}

describe('a new cluster', () => {
  test('comes to rest, ready, with the fewest pods that it may have', () => {
    const world = settled();
    const ready = world.status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'True', reason: 'Ready', observedGeneration: 1 });
    expect(world.status).toMatchObject({
      endpoint: { ready: 2, desired: 2 },
      worker: { ready: 2 },
      mongodb: { ready: 3 },
      kafka: { ready: 3 },
      url: 'http://hc-endpoint.ns.svc.cluster.local:5000',
    });
  });

  test('begins with its finalizer, its credentials and its walls', () => {
    const order = deeds(plan(new World().observe()).actions);
    expect(order[0]).toBe('finalizer');
    expect(order.indexOf('createSecret')).toBeLessThan(order.indexOf('apply StatefulSet/hc-mongodb'));
    expect(order.indexOf('apply NetworkPolicy/hc-endpoint')).toBeLessThan(
      order.indexOf('apply Deployment/hc-endpoint'),
    );
  });

  test('is told about before its servers are asked for anything, for they may be away', () => {
    const world = new World();
    world.step();
    const kinds = plan(world.observe()).actions.map(({ kind }) => kind);
    expect(kinds.indexOf('status')).toBeLessThan(kinds.indexOf('initiateMongo'));
  });

  test('never says how many endpoints and workers there are in what it applies', () => {
    const world = settled();
    const deployments = world.log.flatMap((action) =>
      action.kind === 'apply' && action.object.kind === 'Deployment' ? [action.object['spec']] : [],
    );
    expect(deployments.length).toBeGreaterThan(0);
    for (const spec of deployments) expect(spec).not.toHaveProperty('replicas');
  });
});

describe('a cluster at rest', () => {
  test('is left alone', () => {
    const world = settled();
    expect(plan(world.observe()).actions).toEqual([]);
  });

  test('is planned the same again and again, and its argument is not changed', () => {
    const observed = settled({ paused: true }).observe();
    const copy = structuredClone(observed);
    expect(plan(observed)).toEqual(plan(copy));
    expect(observed).toEqual(copy);
  });

  test('is not restarted by an operator with newer images', () => {
    const world = settled();
    const images = { hashcluster: 'hashcluster:2', mongodb: 'mongo:7.0', kafka: 'apache/kafka:5.0.0' };
    world.defaults = { ...world.defaults, images };
    expect(plan(world.observe()).actions).toEqual([]);
  });

  test('is put right where somebody changed it', () => {
    const world = settled();
    const done = since(world, () =>
      world.tamper('Service', 'hc-endpoint', (spec) => ({ ...spec, selector: { app: 'other' } })),
    );
    expect(done).toEqual(['apply Service/hc-endpoint']);
  });

  test('keeps the number of pods that the scaler or somebody else has set', () => {
    const world = settled();
    const done = since(world, () =>
      world.tamper('Deployment', 'hc-worker', (spec) => ({ ...spec, replicas: 5 })),
    );
    expect(done).toEqual([]);
  });
});

describe('a changed cluster', () => {
  test('gets its new image on the endpoints first, then on the workers', () => {
    const world = settled({ version: '1' });
    const done = since(world, () => world.change({ version: '2' }));
    expect(done).toEqual(['apply Deployment/hc-endpoint', 'apply Deployment/hc-worker']);
  });

  test.each<[string, ClusterSpecInput]>([
    ['endpoints and workers', { version: '2' }],
    ['workers', { version: '1', worker: { terminationGracePeriodSeconds: 90 } }],
    ['MongoDB', { version: '1', mongodb: { managed: { image: 'mongo:7.0' } } }],
  ])('does not count as settled in a round that changes %s', (_, spec) => {
    const world = settled({ version: '1' });
    world.change(spec);
    const said: (string | undefined)[] = [];
    for (let actions = world.step().actions; actions.length > 0; actions = world.step().actions) {
      const isChange = actions.some(
        (each) => each.kind === 'apply' && /Set|Deployment/.test(each.object.kind),
      );
      const progressing = world.status?.conditions?.find(({ type }) => type === 'Progressing');
      if (isChange) said.push(progressing?.status);
    }
    expect(said.length).toBeGreaterThan(0);
    expect(said).toEqual(said.map(() => 'True'));
  });

  test('replaces members of MongoDB one by one, the primary last', () => {
    const world = settled();
    const done = since(world, () => world.change({ mongodb: { managed: { image: 'mongo:7.0' } } }));
    expect(done).toEqual([
      'apply StatefulSet/hc-mongodb',
      ...['evict Pod/hc-mongodb-2', 'evict Pod/hc-mongodb-1', 'evict Pod/hc-mongodb-0'],
    ]);
  });

  test('takes members into the replica set, and out of it before their pods go', () => {
    const world = settled();
    const up = since(world, () => world.change({ mongodb: { managed: { replicas: 5 } } }));
    const [grow, takeIn] = ['apply StatefulSet/hc-mongodb', 'reconfigureMongo'];
    const noted = up.filter((deed) => !deed.startsWith('annotate PersistentVolumeClaim/'));
    expect(noted).toEqual([grow, takeIn, grow, takeIn]);
    expect(world.mongo?.members.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4]);
    const down = since(world, () => world.change({ mongodb: { managed: { replicas: 3 } } }));
    expect(down.filter((deed) => deed === 'reconfigureMongo')).toHaveLength(2);
    expect(down.at(0)).toBe('reconfigureMongo');
    const deeds = down.filter((deed) => !deed.startsWith('annotate PersistentVolumeClaim/'));
    expect(deeds.at(-1)).toBe('apply StatefulSet/hc-mongodb');
  });

  test('grows its volumes and leaves the template of the claims as it is', () => {
    const world = settled();
    const done = since(world, () => world.change({ mongodb: { managed: { storage: '20Gi' } } }));
    expect(done).toEqual([0, 1, 2].map((i) => `expandVolume PersistentVolumeClaim/data-hc-mongodb-${i}`));
  });

  test('has taken away what is no longer asked for', () => {
    const world = settled({ ingress: { enabled: true, host: 'hash.example.org' } });
    expect(world.status?.url).toBe('http://hash.example.org');
    const done = since(world, () => world.change({ networkPolicy: { enabled: false } }));
    const policies = ['mongodb', 'kafka', 'endpoint', 'worker'].map(
      (part) => `delete NetworkPolicy/hc-${part}`,
    );
    // Without an Ingress no proxy is believed, so endpoints begin anew.
    expect(done.toSorted()).toEqual(
      ['apply Deployment/hc-endpoint', 'delete Ingress/hc-endpoint', ...policies].toSorted(),
    );
  });

  test('changes nothing while it is paused', () => {
    const world = settled();
    const done = since(world, () => world.change({ paused: true, version: '2' }));
    expect(done).toEqual([]);
    expect(world.status?.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe('Paused');
  });
});

const CHANGES: readonly (readonly [string, ClusterSpecInput])[] = [
  ['image', { image: 'other:1' }],
  ['version', { version: '7' }],
  ['imagePullPolicy', { imagePullPolicy: 'Always' }],
  ['imagePullSecrets', { imagePullSecrets: [{ name: 'pull' }] }],
  ['endpoint.env', { endpoint: { env: [{ name: 'MAX_WAITERS', value: '1' }] } }],
  [
    'endpoint.placement',
    { endpoint: { placement: { nodeSelector: { a: 'b' }, priorityClassName: 'high' } } },
  ],
  ['worker.resources', { worker: { resources: { limits: { cpu: '4' } } } }],
  ['worker.grace', { worker: { terminationGracePeriodSeconds: 90 } }],
  ['limits', { limits: { maxWaitSeconds: 600, maxBodyBytes: 5 } }],
  ['cache', { cache: { shared: false } }],
  ['retention', { retention: { results: '1d' } }],
  ['ingress', { ingress: { enabled: true, host: 'a.b', path: '/x', tls: { enabled: true } } }],
  ['mongodb.resources', { mongodb: { managed: { resources: { limits: { memory: '4Gi' } } } } }],
  ['mongodb.replicas', { mongodb: { managed: { replicas: 5 } } }],
  ['kafka.placement', { kafka: { managed: { placement: { tolerations: [{ operator: 'Exists' }] } } } }],
  ['networkPolicy', { networkPolicy: { clients: [], monitoring: [] } }],
  ['logging', { logging: { level: 'debug' } }],
  ['monitoring', { monitoring: { scrape: false, otlp: { endpoint: 'http://c:4318', signals: ['logs'] } } }],
  ['healing', { healing: { enabled: false } }],
];

describe.each(CHANGES)('changing %s', (_, spec) => {
  test('leads to the same as making the cluster so, and taking it back leads back', () => {
    const world = settled();
    const before = world.shape();
    world.change(spec);
    world.settle();
    const fresh = settled(spec).shape();
    const own = (shape: Record<string, unknown>) =>
      Object.entries(shape).filter(([key]) => !key.startsWith('PersistentVolumeClaim'));
    expect(Object.fromEntries(own(world.shape()))).toEqual(Object.fromEntries(own(fresh)));
    world.change({});
    world.settle();
    expect(Object.fromEntries(own(world.shape()))).toEqual(Object.fromEntries(own(before)));
  });
});

describe('a cluster that is deleted', () => {
  function deleted(spec: ClusterSpecInput): { readonly world: World; readonly done: string[] } {
    const world = settled(spec);
    const before = world.log.length;
    world.deleted = world.now;
    for (let i = 0; i < 5 && !world.gone; i += 1) world.step();
    return { world, done: deeds(world.log.slice(before)) };
  }

  test('lets its workers give their jobs back, and keeps its data', () => {
    const { world, done } = deleted({});
    expect(world.gone).toBe(true);
    expect(done).toEqual(['scale Deployment/hc-worker', 'finalizer']);
  });

  test('takes its data along when that is asked for, after the workers', () => {
    const { done } = deleted({
      deletionPolicy: 'Delete',
      mongodb: { managed: { replicas: 1 } },
      kafka: { managed: { replicas: 1 } },
    });
    expect(done).toEqual([
      'scale Deployment/hc-worker',
      ...['delete StatefulSet/hc-mongodb', 'delete StatefulSet/hc-kafka'],
      ...['delete PersistentVolumeClaim/data-hc-mongodb-0', 'delete PersistentVolumeClaim/data-hc-kafka-0'],
      ...[
        'delete Secret/hc-mongodb-credentials',
        'delete Secret/hc-mongodb-credentials-applied',
        'delete Secret/hc-kafka-credentials',
        'delete Secret/hc-kafka-credentials-applied',
      ],
      'finalizer',
    ]);
  });

  test('goes even when its workers do not', () => {
    const world = settled();
    world.deleted = world.now - 600_000;
    expect(deeds(plan(world.observe()).actions)).toEqual(['finalizer']);
  });

  test('goes at once when it never had the finalizer', () => {
    const world = new World();
    world.deleted = world.now;
    expect(deeds(plan(world.observe()).actions)).toEqual([]);
  });
});
