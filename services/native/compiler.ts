import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A command that compiles C, with the options that belong to it. */
export type Compiler = readonly [command: string, ...options: string[]];

/** What to make of C files. */
export interface Target {
  readonly output: string;
  readonly sources: readonly string[];
  /** Files that the sources include. */
  readonly headers: readonly string[];
  /** Options that come before the sources, and those that come after: libraries. */
  readonly flags: readonly string[];
  readonly libraries?: readonly string[];
}

/** `output` is what the compiler said: errors, or nothing. */
export type Compiled = { readonly ok: true } | { readonly ok: false; readonly output: string };

/** Tried in this order where the environment names none. */
const USUAL: readonly Compiler[] = [['cc'], ['gcc'], ['clang']];

/** Longer than this and the compiler hangs: 5 minutes, in milliseconds. */
const TIMEOUT_MS = 300_000;

/** The compiler that `setting` names (the variable CC), or the first usual one that is there; null where none is. */
export function findCompiler(setting: string | undefined): Compiler | null {
  const [command, ...options] = (setting ?? '').split(/\s+/).filter((word) => word !== '');
  const candidates: readonly Compiler[] = command === undefined ? USUAL : [[command, ...options]];
  return (
    candidates.find(([name]) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) ?? null
  );
}

/**
 * Compiles and links in one call. The file appears under its name only when it is whole: a process that has the old one
 * loaded keeps it.
 */
export function compile(compiler: Compiler, target: Target): Compiled {
  const { output, sources, flags, libraries = [] } = target;
  const unfinished = `${output}.${process.pid}.tmp`;
  mkdirSync(dirname(output), { recursive: true });
  const [command, ...options] = compiler;
  const args = [...options, ...flags, '-o', unfinished, ...sources, ...libraries];
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (status === 0) {
    renameSync(unfinished, output);
    writeFileSync(stampOf(target), stamp(compiler, target));
    return { ok: true };
  }
  rmSync(unfinished, { force: true });
  const why = error?.message ?? (signal === null ? '' : `${command} was ended by ${signal}`);
  return { ok: false, output: [stdout, stderr, why].filter((text) => text !== '').join('\n') };
}

/**
 * Whether the output was made from these very sources, headers and flags, by this compiler (null: by any). Contents
 * count, not times: those of a fresh clone or a copied tree say nothing.
 */
export function isCurrent(compiler: Compiler | null, target: Target): boolean {
  const found = [target.output, stampOf(target)].map(readOrNull);
  if (found.includes(null)) return false;
  const [madeBy, madeOf] = String(found[1]).split('\n');
  return (
    madeOf === contentsOf(target) && (compiler === null || madeBy === stamp(compiler, target).split('\n')[0])
  );
}

/** Removes the output, if it is there. */
export function discard(target: Target): void {
  rmSync(target.output, { force: true });
  rmSync(stampOf(target), { force: true });
}

function stampOf({ output }: Target): string {
  return `${output}.stamp`;
}

/** Two lines: the compiler, and what went in. */
function stamp(compiler: Compiler, target: Target): string {
  return `${compiler.join(' ')}\n${contentsOf(target)}\n`;
}

/** Names and contents, not folders: a tree that was moved or copied with its output is still current. */
function contentsOf({ sources, headers, flags, libraries = [] }: Target): string {
  const settings = flags.filter((flag) => !flag.startsWith('-I'));
  const digest = createHash('sha256').update(JSON.stringify([settings, libraries]));
  for (const file of [...sources, ...headers]) {
    digest.update(`\0${basename(file)}\0`).update(readFileSync(file));
  }
  return digest.digest('hex');
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
