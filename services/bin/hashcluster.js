#!/usr/bin/env node
// Finds the command line, built or not, and says what is missing otherwise. Runs on any Node.js since 18.
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';

/** EX_UNAVAILABLE of sysexits.h. */
const UNAVAILABLE = 69;

const built = new URL('../dist/cli/main.js', import.meta.url);
const source = new URL('../src/cli/main.ts', import.meta.url);

function entry() {
  if (!isBuiltin('node:sqlite')) {
    const need = `hashcluster needs Node.js 22.13 or newer (it keeps jobs with node:sqlite); this is ${process.version}.`;
    return { missing: `${need} In its repository, npx hashcluster brings Node.js 24 along (after npm ci).` };
  }
  if (existsSync(built)) return { url: built };
  if (existsSync(source) && process.features.typescript) return { url: source };
  return { missing: 'hashcluster is not built. Run: npm run build' };
}

/**
 * V8 takes this only when it starts. Otherwise the young part of the heap of a busy service grows to more than 100 MiB,
 * and never shrinks while it is busy; with 8 MiB for each of its halves it is as fast (MiB).
 */
const YOUNG_HEAP = '--max-semi-space-size';
const SERVES = ['start', 'demo'];

/** Begins anew in the same process, with the flag; where that cannot be done, goes on without it. */
function boundHeap() {
  const { argv, execArgv, execPath, platform } = process;
  const asked = [...execArgv, process.env.NODE_OPTIONS ?? ''].some((flags) => flags.includes(YOUNG_HEAP));
  if (asked || !SERVES.includes(argv[2]) || platform === 'win32' || !process.execve) return;
  process.execve(execPath, [execPath, `${YOUNG_HEAP}=8`, ...execArgv, ...argv.slice(1)]);
}

const { url, missing } = entry();
if (url) boundHeap();
if (url) {
  await import(url.href);
} else {
  process.stderr.write(`${missing}\n`);
  process.exitCode = UNAVAILABLE;
}
