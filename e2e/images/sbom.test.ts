import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { billOfMaterials } from './sbom.ts';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

async function manifestOf(folder: string): Promise<Manifest> {
  const text = await readFile(new URL(`../../${folder}package.json`, import.meta.url), 'utf8');
  return JSON.parse(text) as Manifest;
}

describe.each(['services', 'operator'])('the bill of materials of %s', (workspace) => {
  test('lists what it depends on, with versions, and nothing that is there for development', async () => {
    const own = await manifestOf(`${workspace}/`);
    const { components } = JSON.parse(await billOfMaterials(workspace)) as { components: Component[] };
    const listed = new Map(components.map(({ purl, version }) => [nameOf(purl), version]));
    for (const [name, version] of Object.entries(own.dependencies))
      expect([name, listed.get(name)]).toEqual([name, version]);
    const development = { ...(await manifestOf('')).devDependencies, ...own.devDependencies };
    // What is needed to run as well is listed for that.
    const elsewhere = new Set(['@types/node']);
    const surplus = Object.keys(development).filter((name) => listed.has(name) && !elsewhere.has(name));
    expect(surplus).toEqual([]);
  });
});

test('what is needed to run is listed even where it is for development elsewhere', async () => {
  const { components } = JSON.parse(await billOfMaterials('services')) as { components: Component[] };
  // Express needs them, and so do eslint and supertest.
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['debug', 'ms', 'qs']));
});

/** `pkg:npm/%40scope/name@1.2.3` is `@scope/name`. */
function nameOf(purl: string): string {
  return decodeURIComponent(purl.replace(/^pkg:npm\//, '').replace(/@[^@]*$/, ''));
}
