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
 * What a busy service may take of the memory; V8 wants to know at its start. Each half of the young heap has 8 MiB rather
 * than more than 60, and the old one is cleared when it has doubled rather than grown fourfold. Less than two thirds of
 * the memory, all of it in use within the first 100,000 jobs, and as fast.
 */
const HEAP_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=100'];
const SERVES = ['start', 'demo'];

/** Begins anew in the same process, with the flags; where that cannot be done, goes on without them. */
function boundHeap() {
  const { argv, execArgv, execPath, platform } = process;
  const given = [...execArgv, process.env.NODE_OPTIONS ?? ''].join();
  const asked = HEAP_FLAGS.some((flag) => given.includes(flag.split('=', 1)[0]));
  if (asked || !SERVES.includes(argv[2]) || platform === 'win32' || !process.execve) return;
  process.execve(execPath, [execPath, ...HEAP_FLAGS, ...execArgv, ...argv.slice(1)]);
}

const { url, missing } = entry();
if (url) boundHeap();
if (url) {
  await import(url.href);
} else {
  process.stderr.write(`${missing}\n`);
  process.exitCode = UNAVAILABLE;
}
