import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { CHART } from './tools.ts';
import { chartReadme } from './write-readme.ts';

interface Tree {
  readonly [name: string]: Tree | string | number | boolean | readonly unknown[];
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

/** Paths of a schema's values. What is Kubernetes' own, and empty or in braces in values.yaml, is one value. */
const WHOLE = ['resources', 'affinity'];

function schemaPaths({ properties }: Schema, prefix = ''): string[] {
  return Object.entries(properties ?? {}).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`;
    return schema.properties && !WHOLE.includes(path) ? schemaPaths(schema, `${path}.`) : [path];
  });
}

function valuePaths(values: Tree, { properties }: Schema, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const [path, schema] = [`${prefix}${name}`, properties?.[name] ?? {}];
    return schema.properties && !WHOLE.includes(path)
      ? valuePaths(value as Tree, schema, `${path}.`)
      : [path];
  });
}

test('the README of the chart says what values.yaml says', async () => {
  expect(await readFile(`${CHART}/README.md`, 'utf8')).toBe(await chartReadme());
});

test('the schema of the chart has every value that there is, and no other', async () => {
  const values = parse(await readFile(`${CHART}/values.yaml`, 'utf8')) as Tree;
  const schema = JSON.parse(await readFile(`${CHART}/values.schema.json`, 'utf8')) as Schema;
  const known = schemaPaths(schema).filter((path) => path !== 'global');
  expect(known.sort()).toEqual(valuePaths(values, schema).sort());
});

test('the chart tells Artifact Hub the images that it runs', async () => {
  const chart = parse(await readFile(`${CHART}/Chart.yaml`, 'utf8')) as Record<string, string> & {
    readonly annotations: Readonly<Record<string, string>>;
  };
  const values = parse(await readFile(`${CHART}/values.yaml`, 'utf8')) as Record<
    string,
    { repository: string }
  >;
  const told = parse(chart.annotations['artifacthub.io/images']!) as { readonly image: string }[];
  const own = ['image', 'servicesImage'].map((name) => `${values[name]!.repository}:${chart['appVersion']!}`);
  expect(told.map(({ image }) => image)).toEqual([...own, values['mongodbImage'], values['kafkaImage']]);
});
