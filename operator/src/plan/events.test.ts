import { expect, test } from '@jest/globals';
import { World } from './testing/world.ts';

/** Reasons and messages of the Events of everything that was done. */
function told(world: World): string[] {
  return world.log.flatMap((action) =>
    action.kind === 'event' ? [`${action.reason}: ${action.message}`] : [],
  );
}

test('Events tell of workloads that are created and updated', () => {
  const world = new World();
  world.settle();
  for (const name of [
    'StatefulSet hc-mongodb',
    'StatefulSet hc-kafka',
    'Deployment hc-endpoint',
    'Deployment hc-worker',
  ])
    expect(told(world)).toContain(`Created: Creating ${name}`);
  world.log.length = 0;
  world.change({ worker: { env: [{ name: 'EXTRA', value: 'x' }] } });
  world.settle();
  expect(told(world)).toContainEqual(
    expect.stringMatching(/^Updated: Updating Deployment hc-worker \(spec\.template/),
  );
});

test('Events tell of volumes that are resized', () => {
  const world = new World();
  world.settle();
  world.log.length = 0;
  world.change({ mongodb: { managed: { storage: '20Gi' } } });
  world.settle();
  expect(told(world)).toContainEqual('VolumeResizing: Resizing data-hc-mongodb-0 to 20Gi: storage is 20Gi');
});
