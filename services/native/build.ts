import { join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { BUILD, coreFiles, STRICT } from './core-files.ts';
import { compile, discard, findCompiler, isCurrent } from './compiler.ts';
import type { Target } from './compiler.ts';
import { apiHeaders, MODULE_FLAGS } from './modules.ts';
import { compilerSetting } from './settings.ts';

const HELP = `Compiles the native hashing kernels into services/native/build/hashcluster.node.

  node services/native/build.ts [--out FILE]

  --out FILE   write the module to FILE instead
  --help       this text

CC names the compiler; without it cc, gcc and clang are tried. What is up to date is left alone.
Without a compiler it says so and ends well: hashing then uses WebAssembly.`;

const NO_COMPILER =
  'No C compiler found: hashing will use WebAssembly, about 2 to 8 times slower; ' +
  'install gcc or clang and run `npm run build` again';

function addonTarget(output: string): Target {
  const { sources, headers } = coreFiles();
  return {
    output,
    sources: [join(import.meta.dirname, 'addon.c'), ...sources],
    headers,
    flags: [...MODULE_FLAGS, ...STRICT, `-I${apiHeaders()}`],
  };
}

/** Builds what is not up to date. Gives the exit code: 1 when the compiler fails. */
function build(output: string): number {
  const target = addonTarget(output);
  const compiler = findCompiler(compilerSetting());
  if (isCurrent(compiler, target)) return 0;
  if (compiler === null) {
    // One that was made from other sources must not be loaded.
    discard(target);
    console.log(NO_COMPILER);
    return 0;
  }
  const start = performance.now();
  const result = compile(compiler, target);
  if (!result.ok) {
    console.error(`${compiler.join(' ')} could not compile the hashing kernels:\n${result.output}`);
    return 1;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`Built ${relative(process.cwd(), target.output)} with ${compiler.join(' ')} in ${seconds} s`);
  return 0;
}

/** The options, or null after an error message. */
function options(args: string[]): { out?: string | undefined; help?: boolean | undefined } | null {
  try {
    return parseArgs({ args, options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
      .values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return null;
  }
}

/** Gives the exit code: as `build`, or 2 for wrong options. */
function main(args: string[]): number {
  const chosen = options(args);
  if (chosen === null) return 2;
  if (!chosen.help) return build(resolve(chosen.out ?? join(BUILD, 'hashcluster.node')));
  console.log(HELP);
  return 0;
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) process.exitCode = main(process.argv.slice(2));
