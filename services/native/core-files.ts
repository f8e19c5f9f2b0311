import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const NATIVE = import.meta.dirname;
const CORE = join(NATIVE, 'core');

/** Where everything that is compiled goes. */
export const BUILD = join(NATIVE, 'build');

/** The C files of the hashing core, and the headers that they share. */
export function coreFiles(): { readonly sources: string[]; readonly headers: string[] } {
  const files = readdirSync(CORE).sort();
  const ending = (end: string) => files.filter((file) => file.endsWith(end)).map((file) => join(CORE, file));
  return { sources: ending('.c'), headers: ending('.h') };
}

/** Warnings are errors: the code is clean under gcc 12 and clang 14, and is to stay so. */
export const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Werror'] as const;
