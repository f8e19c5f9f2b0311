import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { iterate } from '../chaos/jobs.ts';

/**
 * Points of one long chain, computed once by node:crypto and kept in `long-chain.json`: a part of the chain is a job of
 * seconds whose answer costs nothing to know. `points[i]` stands `i × STRIDE` iterations after the first.
 */
export const STRIDE = 250_000;
export const POINTS = 129;
const ORIGIN = 'hashcluster/e2e/long-chain';
const FILE = new URL('long-chain.json', import.meta.url);

export function readPoints(): readonly string[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as string[];
}

/** The first point. */
export function origin(): string {
  return hash('sha512', ORIGIN);
}

/**
 * Makes `long-chain.json` anew, in a minute or two:
 * `node -e "import('./e2e/audit/long-chain.ts').then((chain) => chain.writePoints())"`.
 */
export async function writePoints(): Promise<void> {
  const points = [origin()];
  while (points.length < POINTS) points.push(iterate(points.at(-1)!, STRIDE));
  await writeFile(FILE, `${JSON.stringify(points, null, 1)}\n`);
}
