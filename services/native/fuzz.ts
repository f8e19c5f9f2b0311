import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILD, coreFiles, STRICT } from './core-files.ts';
import { compile, findCompiler, isCurrent } from './compiler.ts';
import type { Target } from './compiler.ts';
import { compilerSetting } from './settings.ts';

const HELP = `Compares every native kernel that this processor has with a plain SHA-512, on random chains, under
AddressSanitizer and UndefinedBehaviorSanitizer.

  node services/native/fuzz.ts [--cases N] [--seconds S] [--seed X] [--out FILE]

  --cases N     stop after about N chains (default 1000000)
  --seconds S   stop after about S seconds (default 60)
  --seed X      repeat a run: it prints its seed (default random)
  --out FILE    where the program goes (default services/native/build/fuzz)

Ends with 0 when all is right, 1 when something is wrong, 2 for wrong options, 3 where there is no compiler.`;

const OPTIONS = {
  cases: { type: 'string', default: '1000000' },
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string' },
  out: { type: 'string', default: join(BUILD, 'fuzz') },
  help: { type: 'boolean', short: 'h' },
} as const;

const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

function fuzzTarget(output: string): Target {
  const { sources, headers } = coreFiles();
  const folder = join(import.meta.dirname, 'fuzz');
  return {
    output,
    sources: [join(folder, 'fuzz.c'), ...sources],
    headers: [join(folder, 'reference.h'), ...headers],
    flags: ['-O1', '-g', ...SANITIZERS, ...STRICT],
  };
}

/** Builds the program where it is not up to date. Gives the exit code where that is not possible. */
function build(target: Target): number {
  const compiler = findCompiler(compilerSetting());
  if (compiler === null) {
    console.error('No C compiler found: the fuzz needs gcc or clang');
    return 3;
  }
  if (isCurrent(compiler, target)) return 0;
  const result = compile(compiler, target);
  if (result.ok) return 0;
  console.error(`${compiler.join(' ')} could not compile the fuzz:\n${result.output}`);
  return 1;
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    const numbers = [values.cases, values.seconds, values.seed ?? '0'];
    if (!numbers.every((text) => /^\d+$/.test(text)))
      throw new Error('Cases, seconds and seed are whole numbers');
    return values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return null;
  }
}

function main(args: string[]): number {
  const chosen = parse(args);
  if (chosen === null) return 2;
  if (chosen.help) {
    console.log(HELP);
    return 0;
  }
  const { cases, seconds, seed = String(randomInt(2 ** 47)) } = chosen;
  const target = fuzzTarget(resolve(chosen.out));
  const failed = build(target);
  if (failed !== 0) return failed;
  const { status, signal } = spawnSync(target.output, [cases, seconds, seed], { stdio: 'inherit' });
  if (signal !== null) console.error(`The fuzz was ended by ${signal}`);
  return status ?? 1;
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) process.exitCode = main(process.argv.slice(2));
