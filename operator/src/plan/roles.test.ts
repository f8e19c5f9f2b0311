import { describe, expect, test } from '@jest/globals';
import { plan } from './plan.ts';
import { planRoles } from './roles.ts';
import { scene, secretFacts } from './testing/scene.ts';
import { World } from './testing/world.ts';

const EXTERNAL = {
  mongodb: { external: { secretName: 'store' } },
  kafka: { external: { brokers: ['k:9092'], secretName: 'bus' } },
};
const secret = (name: string, hash = 'a') =>
  secretFacts(name, { instance: null, keys: ['uri', 'username', 'password', 'ca.crt'], hash });

describe('endpoints and workers', () => {
  test('are not made before the Secrets are there that the spec names', () => {
    const observed = scene({ spec: EXTERNAL });
    expect(planRoles({ cluster: observed.cluster, observed })).toEqual({
      actions: [],
      waiting: 'Secrets are missing: store, bus',
    });
  });

  test('get a new template when such a Secret changes', () => {
    const world = new World(EXTERNAL);
    for (const name of ['store', 'bus']) world.secrets.set(name, secret(name));
    world.settle();
    const before = world.log.length;
    world.secrets.set('bus', secret('bus', 'b'));
    world.settle();
    const applied = world.log.slice(before).filter(({ kind }) => kind === 'apply');
    expect(applied).toHaveLength(2);
  });

  test('stay as they are when such a Secret is lost, and that is told', () => {
    const world = new World(EXTERNAL);
    for (const name of ['store', 'bus']) world.secrets.set(name, secret(name));
    world.settle();
    world.secrets.delete('bus');
    const { actions } = plan(world.observe());
    const told = actions.flatMap((action) => (action.kind === 'event' ? [action.reason] : []));
    expect(told).toContain('SecretMissing');
    expect(actions.filter(({ kind }) => kind !== 'status' && kind !== 'event')).toEqual([]);
  });

  test('wait with a new template while the endpoints’ own is not everywhere', () => {
    const world = new World({ version: '1' });
    world.settle();
    world.change({ version: '2' });
    const { actions } = plan(world.observe());
    const names = actions.flatMap((action) => (action.kind === 'apply' ? [action.object.metadata.name] : []));
    expect(names).toEqual(['hc-endpoint']);
  });

  test('begin with the fewest that there may be', () => {
    const observed = scene({ spec: { worker: { replicas: { min: 7 } } } });
    const { actions } = planRoles({ cluster: observed.cluster, observed });
    const scales = actions.flatMap((action) =>
      action.kind === 'scale' ? [[action.ref.name, action.replicas]] : [],
    );
    expect(scales).toEqual([
      ['hc-endpoint', 2],
      ['hc-worker', 7],
    ]);
  });
});
