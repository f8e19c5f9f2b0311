import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { Image } from './image.ts';
import { imagesToTest } from './settings.ts';

const MEGABYTE = 1e6;
const STARTS = 3;

const images = imagesToTest();

describe.each([
  ['services', images.services, 200],
  ['operator', images.operator, 200],
])('the image of %s', (workspace, name, limit) => {
  const image = new Image(name);

  test('is small, says what it is, and runs as nobody', async () => {
    const { Size: size, Config: config } = await image.inspect();
    console.log(`${name}: ${(size / MEGABYTE).toFixed(0)} MB`);
    expect(size / MEGABYTE).toBeLessThan(limit);
    expect(config.User).toBe('65532:65532');
    const { version } = JSON.parse(await readFile(`${workspace}/package.json`, 'utf8')) as {
      version: string;
    };
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `HashCluster ${workspace}`,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
    });
  });

  test.each(['/bin/sh', '/bin/bash', '/usr/bin/apt', '/usr/bin/npm'])('has no %s', async (program) => {
    await expect(image.run(program, '--version')).rejects.toThrow(/no such file|not found/);
  });

  test('has what its bill of materials lists, and nothing else', async () => {
    const listed = (await image.bill()).components.map(({ purl }) =>
      decodeURIComponent(purl.slice('pkg:npm/'.length)),
    );
    const others = new Set(listed.filter((each) => !/^(hashcluster|@hashcluster\/operator)@/.test(each)));
    expect(new Set(listed).size - others.size).toBe(1);
    expect([...new Set((await image.ask('packages')) as string[])].sort()).toEqual([...others].sort());
    expect(await image.ask('surplus')).toEqual([]);
  });

  test('has every package that its code loads, at its start or later', async () => {
    expect(await image.ask('load')).toContain('winston');
  });

  test('says what it can be told', async () => {
    expect(await image.main('--help')).toMatch(/hashcluster/i);
  });
});

describe('the image of services', () => {
  const image = new Image(images.services);

  test('has a kernel for each kind of processor, and this one runs some of them', async () => {
    const vectors = process.arch === 'x64' ? ['avx512', 'avx512vl', 'avx2', 'scalar'] : [];
    const { built, running } = (await image.ask('kernels')) as Record<'built' | 'running', string[]>;
    expect(built).toEqual([...vectors, 'portable']);
    expect(running).toContain('portable');
  });

  test('is ready soon after it was started, on a read-only root', async () => {
    const took: number[] = [];
    for (let i = 0; i < STARTS; i++) took.push(await image.timeToReady());
    console.log(`${images.services} start: ready after ${took.join(', ')} ms`);
    expect(took).toHaveLength(STARTS);
  });
});
