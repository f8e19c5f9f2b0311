import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CLUSTER_SPEC, type ClusterSpecInput } from '../../api/spec.ts';
import { canonical, fingerprint } from '../fingerprint.ts';
import { serverSets } from '../servers.ts';
import { World } from '../testing/world.ts';
import { roleDeployment } from './deployments.ts';
import { contextOf, templateOf } from './testing.ts';

/** A HashCluster as the API server keeps it, and the fingerprints of the templates that it led to. */
interface Golden {
  /** With all defaults of the day it was made: later ones do not reach it. */
  readonly spec: ClusterSpecInput;
  /** By workload. */
  readonly templates: Readonly<Record<string, string>>;
}

const FOLDER = new URL('golden/', import.meta.url);
const CASES = readdirSync(FOLDER).map((file) => ({ file }));

function fingerprints(spec: ClusterSpecInput): Record<string, string> {
  // Fields that are newer than the cluster get their defaults when it is read.
  const context = contextOf(CLUSTER_SPEC.parse(spec));
  const workloads = [
    ...serverSets(context),
    ...(['endpoint', 'worker'] as const).map((role) => roleDeployment(context, role)),
  ];
  return Object.fromEntries(
    // The order of fields makes no pod another one.
    workloads.map((workload) => [workload.metadata.name, fingerprint(canonical(templateOf(workload)))]),
  );
}

function explanation(file: string, restarted: readonly string[], now: object): string {
  return [
    `An upgrade to this operator would restart the pods of ${restarted.join(', ')} in every HashCluster like golden/${file},`,
    'although nobody has changed it: what the operator makes of the same spec is another pod template than before.',
    '',
    'If that is not meant, let the template be as it was: what is new must be absent where the spec does not ask for it.',
    `If it is meant, say in the commit what restarts and why, and write into golden/${file}:`,
    '',
    `"templates": ${JSON.stringify(now, null, 2)}`,
  ].join('\n');
}

test.each(CASES)('the pods of golden/$file outlive an upgrade of the operator', ({ file }) => {
  const { spec, templates } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Golden;
  const now = fingerprints(spec);
  const restarted = Object.keys({ ...templates, ...now }).filter((name) => templates[name] !== now[name]);
  if (restarted.length > 0) throw new Error(explanation(file, restarted, now));
});

test('an operator that brings other images leaves workloads that it finds alone', () => {
  const world = new World();
  world.settle();
  const { images } = world.defaults;
  const newer = Object.fromEntries(Object.entries(images).map(([name, image]) => [name, `${image}-newer`]));
  world.defaults = { ...world.defaults, images: { ...images, ...newer } };
  expect(world.step().actions).toEqual([]);
});
