import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';

/** Packages of this repository, and the folders they are. */
const OWN_PACKAGES = new Map([
  ['hashcluster', 'services'],
  ['@hashcluster/e2e', 'e2e'],
  ['@hashcluster/operator', 'operator'],
]);

const BUILTINS = new Set(builtinModules);

/**
 * What a module specifier means: a path from the repository's root (`services/src/jobs/id.ts`), a Node module
 * (`node:fs`), or a package (`package:winston`).
 * @param {string} from path of the importing file, from the repository's root
 * @param {string} specifier
 * @returns {string}
 */
export function targetOf(from, specifier) {
  if (specifier.startsWith('.')) return join(dirname(from), specifier);
  if (specifier.startsWith('node:')) return specifier;
  if (BUILTINS.has(specifier)) return `node:${specifier}`;
  const [scope = '', name = ''] = specifier.split('/');
  const own = OWN_PACKAGES.get(scope.startsWith('@') ? `${scope}/${name}` : scope);
  return own ?? `package:${specifier}`;
}
