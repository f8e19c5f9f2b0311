import { readFile, readdir } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { customResourceDefinition } from './crd.ts';
import { CLUSTER_SPEC } from './spec.ts';
import { structuralOf, withDefaults, type Schema } from './structural.ts';

const CRDS = new URL('../../../crds/', import.meta.url);
const SAMPLES = new URL('samples/', CRDS);
const samples = (await readdir(SAMPLES)).filter((name) => name.endsWith('.yaml'));

interface Sample {
  readonly spec?: Record<string, unknown>;
}

async function sample(name: string): Promise<Sample> {
  return parse(await readFile(new URL(name, SAMPLES), 'utf8')) as Sample;
}

/** Every schema within one, with its path. */
function* schemasIn(schema: Schema, path = ''): Generator<readonly [string, Schema]> {
  yield [path, schema];
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  for (const [key, value] of properties) yield* schemasIn(value, `${path}.${key}`);
  for (const key of ['items', 'additionalProperties']) {
    const inner = schema[key];
    if (typeof inner === 'object' && inner !== null) yield* schemasIn(inner as Schema, `${path}.${key}`);
  }
}

/** Paths of what the schema does not know. */
function unknownIn(schema: Schema, value: unknown, path = 'spec'): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => unknownIn(schema['items'] as Schema, item, `${path}[${i}]`));
  }
  const properties = schema['properties'] as Record<string, Schema> | undefined;
  if (typeof value !== 'object' || value === null || !properties) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    properties[key] ? unknownIn(properties[key], item, `${path}.${key}`) : [`${path}.${key}`],
  );
}

describe('the CRD', () => {
  const spec = structuralOf(CLUSTER_SPEC);

  test.each(['', '../charts/hashcluster/files/'])(
    'in crds/%s is what the source says: node operator/src/api/generate.ts',
    async (folder) => {
      const file = await readFile(new URL(`${folder}hashclusters.hashcluster.io.yaml`, CRDS), 'utf8');
      expect(parse(file)).toEqual(JSON.parse(JSON.stringify(customResourceDefinition())));
    },
  );

  test('fits into an annotation, for those who apply it on the client’s side', async () => {
    expect(JSON.stringify(customResourceDefinition()).length).toBeLessThan(262_144);
  });

  test('gives every part of the spec a description', () => {
    const silent = [...schemasIn(spec)]
      .filter(([path, schema]) => !/\.(items|additionalProperties)$/.test(path) && !schema['description'])
      .map(([path]) => path);
    expect(silent).toEqual([]);
  });

  test('bounds every text, list and map, so that the cost of rules is bounded', () => {
    const unbounded = [...schemasIn(spec)].filter(([, schema]) => {
      if (schema['type'] === 'string') return schema['maxLength'] === undefined && !schema['enum'];
      if (schema['type'] === 'array') return schema['maxItems'] === undefined;
      return schema['additionalProperties'] !== undefined && schema['maxProperties'] === undefined;
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('makes an empty spec whole, and the same as the types say', () => {
    const whole = withDefaults(spec, {});
    expect(whole).toEqual(CLUSTER_SPEC.parse({}));
    expect(whole).toMatchObject({
      endpoint: { replicas: { min: 2 } },
      mongodb: { managed: { replicas: 3 } },
    });
  });

  test('gives external servers no managed ones beside them', () => {
    const mongodb = { external: { secretName: 'store' } };
    expect(withDefaults(spec, { mongodb })).toMatchObject({ mongodb: { external: { ports: [27_017] } } });
    expect(CLUSTER_SPEC.parse({ mongodb }).mongodb.managed).toBeUndefined();
  });

  test.each(samples)('takes the sample %s', async (name) => {
    const given = (await sample(name)).spec ?? {};
    expect(unknownIn(spec, given)).toEqual([]);
    expect(withDefaults(spec, given)).toEqual(CLUSTER_SPEC.parse(given));
  });

  test('needs no more than a name', async () => {
    expect(await sample('minimal.yaml')).not.toHaveProperty('spec');
  });
});
