import { CliError, EXIT } from './exit-codes.ts';
import type { BackendName } from '../ports/hasher.ts';

/** The backend that the user wants, if this machine has it. Throws a `CliError` that names what it has. */
export function wantedBackend(wanted: BackendName, available: readonly BackendName[]): BackendName {
  if (available.includes(wanted)) return wanted;
  const what = `The ${wanted} backend cannot run here. These can: ${available.join(', ')}.`;
  throw new CliError(EXIT.usage, what);
}
