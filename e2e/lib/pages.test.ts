import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { allPages, ROOT } from './pages.ts';

/** Anchors as GitHub makes them of headings. */
function anchors(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  return headings.map((heading) => heading.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

async function brokenLinks(page: string): Promise<string[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const local = targets.filter((target) => !/^[a-z]+:/.test(target));
  const broken = await Promise.all(
    local.map(async (target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchors(await readFile(file, 'utf8')).includes(anchor);
    }),
  );
  return local.filter((_, i) => broken[i]);
}

describe('the documentation', () => {
  test('links only to what is there', async () => {
    const pages = await allPages();
    expect(pages.length).toBeGreaterThan(10);
    const broken = await Promise.all(
      pages.map(async (page) => (await brokenLinks(page)).map((to) => `${page}: ${to}`)),
    );
    expect(broken.flat()).toEqual([]);
  });

  test('begins with a README of at most 150 lines', async () => {
    expect((await readFile(join(ROOT, 'README.md'), 'utf8')).split('\n').length).toBeLessThanOrEqual(150);
  });
});
