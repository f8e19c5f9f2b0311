import { hash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { cpuInfo } from '../src/hashing/cpu.ts';
import type { Kernel } from '../src/hashing/kernel.ts';
import { loadNativeAddon } from '../src/hashing/native-addon.ts';
import type { NativeBackend } from '../src/hashing/native-addon.ts';
import { createNativeKernel } from '../src/hashing/native-kernel.ts';
import { createWasmKernel, wasmRuns } from '../src/hashing/wasm-kernel.ts';
import { loadOpenssl } from './openssl/load.ts';
import { printMachine, printResult } from './report.ts';
import { measure } from './rounds.ts';
import type { Contender, Figure } from './rounds.ts';

const HELP = `Measures every hashing backend of this machine, all in one process and in turns, with full lanes:
against OpenSSL's SHA512_Init/Update/Final in C, and WebAssembly against a loop of node:crypto.

  npm run bench -- hashing [--seconds S]

  --seconds S   how long to measure (default 20); more on a machine that is busy with other things`;

const NATIVE: readonly NativeBackend[] = ['avx512', 'avx512vl', 'avx2', 'scalar', 'portable'];

const DIGEST_BYTES = 64;

/** What cannot be measured here: one line each. */
function skip(name: string, reason: string): void {
  console.log(`skipped ${name}: ${reason}`);
}

/** A kernel with all its lanes in use. */
function kernelContender(kernel: Kernel): Contender {
  const { lanes } = kernel;
  const digests = Uint8Array.from({ length: lanes * DIGEST_BYTES }, (_, i) => i);
  const remaining = new Float64Array(lanes);
  const batch = { digests, remaining, order: Uint32Array.from(remaining.keys()), count: lanes };
  const quiet = new Int32Array(1);
  return {
    name: kernel.name,
    lanes,
    digest: () => Buffer.from(digests.subarray(0, DIGEST_BYTES)).toString('hex'),
    run(steps) {
      remaining.fill(steps);
      kernel.run(batch, Number.POSITIVE_INFINITY, quiet);
    },
  };
}

function nodeContender(): Contender {
  let digest: Uint8Array = Uint8Array.from({ length: DIGEST_BYTES }, (_, i) => i);
  return {
    name: 'node:crypto',
    lanes: 1,
    digest: () => Buffer.from(digest).toString('hex'),
    run(steps) {
      for (let i = 0; i < steps; i++) digest = hash('sha512', digest, 'buffer');
    },
  };
}

function opensslContender(): Contender | null {
  const openssl = loadOpenssl((reason) => skip('OpenSSL in C, and all ratios to it', reason));
  if (openssl === null) return null;
  const digest = Uint8Array.from({ length: DIGEST_BYTES }, (_, i) => i);
  return {
    name: 'OpenSSL in C',
    lanes: 1,
    digest: () => Buffer.from(digest).toString('hex'),
    run(steps) {
      openssl.iterate(digest, steps);
    },
  };
}

function backendContenders(): Contender[] {
  const found: Contender[] = [];
  let missing = '';
  const addon = loadNativeAddon((reason) => (missing = reason));
  const runs = addon?.backends() ?? [];
  for (const name of NATIVE) {
    if (addon === null) skip(name, missing);
    else if (!runs.includes(name)) skip(name, 'this processor cannot run it');
    else found.push(kernelContender(createNativeKernel(addon, name)));
  }
  if (wasmRuns()) found.push(kernelContender(createWasmKernel()));
  else skip('wasm', 'this Node has no WebAssembly with 128-bit vectors');
  return found;
}

/** What a backend is compared with: WebAssembly takes the place of node:crypto, all others that of OpenSSL. */
function baseOf(name: string): string {
  return name === 'wasm' ? 'node:crypto' : 'OpenSSL in C';
}

function printTable(figures: readonly Figure[]): Record<string, number> {
  const ratios: Record<string, number> = {};
  console.log('\nbackend        lanes   ns per iteration and chain   times as fast');
  console.log('                           best       median        best  median   as');
  for (const { name, lanes, best, median } of figures) {
    const base = figures.find((figure) => figure.name === baseOf(name));
    const row = `${name.padEnd(14)}${String(lanes).padStart(6)}${best.toFixed(1).padStart(11)}${median.toFixed(1).padStart(13)}`;
    if (base === undefined || /[ :]/.test(name)) {
      console.log(row);
      continue;
    }
    const times = [base.best / best, base.median / median];
    console.log(`${row}${times.map((ratio) => ratio.toFixed(2).padStart(8)).join('    ')}   ${base.name}`);
    ratios[name] = Number(times[0]!.toFixed(3));
  }
  return ratios;
}

/** The bench's options, or null after the help text. */
function seconds(args: string[]): number | null {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '20' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    console.log(HELP);
    return null;
  }
  const chosen = Number(values.seconds);
  if (!(chosen > 0 && Number.isFinite(chosen))) throw new RangeError('--seconds is a number above 0');
  return chosen;
}

/** Throws where a backend gives a digest that node:crypto does not give. */
export function run(args: string[]): Promise<void> {
  const time = seconds(args);
  if (time === null) return Promise.resolve();
  printMachine();
  const { features } = cpuInfo();
  console.log(`features: ${features.join(' ') || 'not told by this system'}`);
  const openssl = opensslContender();
  const contenders = [...(openssl === null ? [] : [openssl]), nodeContender(), ...backendContenders()];
  const { figures, rounds } = measure(contenders, time);
  const ratios = printTable(figures);
  console.log(`\n${rounds} rounds, each backend in turn for about a millisecond\n`);
  printResult('hashing', ratios);
  return Promise.resolve();
}
