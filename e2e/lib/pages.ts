import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The pages with commands, in the order in which a reader meets them. */
const GUIDES = [
  'README.md',
  'docs/cli.md',
  'docs/http-api.md',
  'docs/configuration.md',
  'docs/kubernetes.md',
  'docs/operations.md',
  'docs/architecture.md',
] as const;

/** How a block of commands says what it needs: a running service, containers, or a Kubernetes cluster. */
export type Needs = 'sh' | 'sh docker' | 'sh kubernetes';

/** The commands of all guides that are marked so, block by block, in order. */
export async function commandBlocks(mark: Needs): Promise<string[]> {
  const texts = await Promise.all(GUIDES.map((page) => readFile(join(ROOT, page), 'utf8')));
  const blocks = texts.flatMap((text) => [...text.matchAll(/^```(sh.*)\n([^]*?)^```$/gm)]);
  return blocks.filter(([, found]) => found === mark).map(([, , block]) => block!);
}

/** Every page of documentation, as paths within the checkout. */
export async function allPages(): Promise<string[]> {
  const names = await readdir(join(ROOT, 'docs'), { recursive: true });
  const pages = names.filter((name) => name.endsWith('.md')).map((name) => join('docs', name));
  const top = (await readdir(ROOT)).filter((name) => name.endsWith('.md'));
  return [...top, ...pages].toSorted();
}
