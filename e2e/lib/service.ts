import { fileURLToPath } from 'node:url';
import { startChild, type Running } from './child.ts';

/** The command line as it is installed. */
export const BIN = fileURLToPath(new URL('../../services/bin/hashcluster.js', import.meta.url));

/** On free ports of the loopback address, with logs that a program can read. */
const FLAGS = ['--admin-host', '127.0.0.1', '--admin-port', '0', '--log-format', 'json'];
const API_FLAGS = ['--host', '127.0.0.1', '--port', '0'];

export interface ServiceOptions {
  readonly dataDir: string;
  /** More flags of `hashcluster start`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A process with an API: `hashcluster start`, `hashcluster endpoint`. */
export interface Service extends Running {
  readonly url: string;
}

/** Starts `hashcluster start` as a process of its own. Rejects with its log when it does not become ready. */
export async function startService({ dataDir, args = [], env = {} }: ServiceOptions): Promise<Service> {
  const running = await startChild({
    argv: [BIN, 'start', ...API_FLAGS, ...FLAGS, '--data', dataDir, ...args],
    env,
  });
  return withUrl(running);
}

export type Role = 'endpoint' | 'worker';

export interface RoleOptions {
  /** Where its servers are, and whatever else it shall be told. */
  readonly env: Readonly<Record<string, string>>;
  /** More flags of the command. */
  readonly args?: readonly string[];
  /** Another `hashcluster.js` than the one that is installed. */
  readonly bin?: string;
  /** Options of node itself, such as `--import=…`. */
  readonly nodeOptions?: readonly string[];
}

/** Starts an endpoint or a worker as a process of its own; a worker has no `url`. Rejects as `startService` does. */
export function startRole(role: 'endpoint', options: RoleOptions): Promise<Service>;
export function startRole(role: Role, options: RoleOptions): Promise<Running>;
export async function startRole(role: Role, options: RoleOptions): Promise<Running> {
  const { env, args = [], bin = BIN, nodeOptions = [] } = options;
  const flags = role === 'endpoint' ? [...API_FLAGS, ...FLAGS] : FLAGS;
  const running = await startChild({ argv: [...nodeOptions, bin, role, ...flags, ...args], env });
  return role === 'endpoint' ? withUrl(running) : running;
}

function withUrl(running: Running): Service {
  const { url } = running;
  if (url === null) throw new Error(`No address in its ready line:\n${running.log.join('\n')}`);
  return { ...running, url };
}
