import { createRequire } from 'node:module';
import { platform } from 'node:os';

const require = createRequire(import.meta.url);

/** Where the headers of Node-API are. */
export function apiHeaders(): string {
  return (require('node-api-headers') as { include_dir: string }).include_dir;
}

/** A module's functions of Node-API are in the program that loads it: some linkers must be told. */
export const MODULE_FLAGS: readonly string[] = [
  '-O3',
  '-shared',
  '-fPIC',
  '-fvisibility=hidden',
  ...(platform() === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
];

/** Loads a compiled module for tools; the services have their own loader. Throws where that fails. */
export function loadModule(path: string): unknown {
  return require(path);
}
