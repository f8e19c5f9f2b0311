import { expect, test } from '@jest/globals';
import { SECRETS_HASH, roleDeployment } from './deployments.ts';
import { serverSets } from '../servers.ts';
import { contextOf, templateOf } from './testing.ts';

const added = { podLabels: { team: 'a', 'app.kubernetes.io/name': 'x' }, podAnnotations: { note: 'b' } };
const SPEC = {
  ...{ endpoint: added, worker: added },
  mongodb: { managed: added },
  kafka: { managed: added },
};
const context = contextOf(SPEC);
const workloads = [
  roleDeployment(context, 'endpoint'),
  roleDeployment(context, 'worker'),
  ...serverSets(context),
];

test.each(workloads)('pods of $metadata.name have the labels and annotations of the user', (workload) => {
  const { labels, annotations } = templateOf(workload).metadata;
  expect(labels).toMatchObject({ team: 'a', 'app.kubernetes.io/name': 'hashcluster' });
  expect(annotations).toMatchObject({ note: 'b' });
  expect(workload['spec']).not.toHaveProperty('selector.matchLabels.team');
});

test('the operator knows its own annotations of pods better', () => {
  const podAnnotations = { [SECRETS_HASH]: 'mine', 'prometheus.io/port': '1' };
  const worker = roleDeployment(contextOf({ worker: { podAnnotations } }), 'worker');
  expect(templateOf(worker).metadata.annotations).toMatchObject({ 'prometheus.io/port': '9090' });
});
