import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import type { Kernel } from '../src/hashing/kernel.ts';
import { loadNativeAddon } from '../src/hashing/native-addon.ts';
import { createNativeKernel } from '../src/hashing/native-kernel.ts';
import { createNodeKernel } from '../src/hashing/node-kernel.ts';
import { createWasmKernel, wasmRuns } from '../src/hashing/wasm-kernel.ts';
import { printMachine, printResult } from './report.ts';
import { CaseMaker } from './random-cases.ts';

const HELP = `Runs random chains on every hashing backend of this machine, and lets Python's hashlib compute them again.

  npm run bench -- hashlib [--cases N] [--seed X]

  --cases N   how many chains, of all backends together (default 1000000: about a minute)
  --seed X    repeat a run: it prints its seed (default random)

Ends with 1 when a digest differs.`;

interface Options {
  readonly cases: number;
  readonly seed: number;
}

/** What recompute.py answers. */
interface Answer {
  readonly cases?: Readonly<Record<string, number>>;
  readonly iterations?: number;
  readonly wrong?: {
    readonly kernel: number;
    readonly steps: number;
    readonly start: string;
    readonly given: string;
  };
}

/** The options, or null after the help text. */
function options(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      cases: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return null;
  }
  const chosen = { cases: Number(values.cases), seed: Number(values.seed) };
  if (!Object.values(chosen).every((value) => Number.isSafeInteger(value) && value >= 0))
    throw new RangeError('Cases and seed are whole numbers');
  return chosen;
}

function kernels(): Kernel[] {
  const addon = loadNativeAddon((reason) => {
    console.log(`skipped all native backends: ${reason}`);
  });
  const found = addon?.backends().map((name) => createNativeKernel(addon, name)) ?? [];
  if (wasmRuns()) found.push(createWasmKernel());
  else console.log('skipped wasm: this Node has no WebAssembly with 128-bit vectors');
  return [...found, createNodeKernel()];
}

/** Hashes batch after batch, each on the next kernel, and sends what comes out to Python. */
async function feed(python: ChildProcess, found: readonly Kernel[], { cases, seed }: Options): Promise<void> {
  const maker = new CaseMaker(seed);
  const input = python.stdin!;
  for (let sent = 0, turn = 0; sent < cases && input.writable; turn++) {
    const which = turn % found.length;
    const records = maker.batch(found[which]!, which, cases - sent);
    sent += records.count;
    if (!input.write(records.bytes)) await drained(input, python);
  }
  input.end();
}

/** Waits until there is room, or nobody is left to read. */
function drained(input: Writable, python: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      input.off('drain', done);
      python.off('close', done);
      resolve();
    };
    input.once('drain', done);
    python.once('close', done);
  });
}

async function answerOf(python: ChildProcess): Promise<Answer> {
  let text = '';
  python.stdout!.on('data', (chunk) => (text += String(chunk)));
  await once(python, 'close');
  if (text === '') throw new Error('python3 gave no answer');
  return JSON.parse(text) as Answer;
}

/** Throws where a chain differs, and where there is no python3. */
export async function run(args: string[]): Promise<void> {
  const chosen = options(args);
  if (chosen === null) return;
  printMachine();
  const found = kernels();
  const names = found.map(({ name }) => name);
  console.log(`${chosen.cases} cases, seed ${chosen.seed}, on ${names.join(', ')}`);

  const python = spawn('python3', [join(import.meta.dirname, 'recompute.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // A Python that ended early is seen by its answer.
  python.stdin.on('error', () => undefined);
  const [answer] = await Promise.all([answerOf(python), feed(python, found, chosen)]);
  if (answer.wrong) {
    const { kernel, steps, start, given } = answer.wrong;
    throw new Error(
      `${names[kernel]} gives ${given} after ${steps} iterations from ${start}: hashlib does not`,
    );
  }
  const backends = Object.fromEntries(names.map((name, i) => [name, answer.cases?.[i] ?? 0]));
  console.log(`all agree with Python's hashlib, ${answer.iterations} iterations in all`);
  printResult('hashlib', {}, { cases: chosen.cases, seed: chosen.seed, backends });
}
