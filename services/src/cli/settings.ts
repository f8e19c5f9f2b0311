import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the environment says to the command line. */
export interface CliSettings {
  /** The service to talk to. */
  readonly server: string;
  /** Where `start` keeps jobs and results. */
  readonly dataDir: string;
  /** False when `NO_COLOR` is set to anything (https://no-color.org) or the terminal is a dumb one. */
  readonly colour: boolean;
  /** Where Kubernetes reads why a container has ended; null outside of a pod. */
  readonly terminationLog: string | null;
  /** The environment itself, for the service that `start` runs. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Source: Kubernetes API, `core/v1 Container.terminationMessagePath`. */
const TERMINATION_LOG = '/dev/termination-log';

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 5000;
export const DEFAULT_ADMIN_PORT = 9090;

/**
 * `$HASHCLUSTER_DATA`, or `hashcluster` in the user's state directory.
 * Source: XDG Base Directory Specification 0.8, `XDG_STATE_HOME` (a path that is not absolute is to be ignored).
 */
function dataDirOf(env: CliSettings['env'], home: string): string {
  const own = env['HASHCLUSTER_DATA'];
  if (own) return own;
  const state = env['XDG_STATE_HOME'];
  return join(state?.startsWith('/') ? state : join(home, '.local', 'state'), 'hashcluster');
}

/** The settings in an environment. */
export function cliSettings(env: CliSettings['env'], home: string): CliSettings {
  return {
    server: env['HASHCLUSTER_SERVER'] || `http://${DEFAULT_HOST}:${DEFAULT_PORT}`,
    dataDir: dataDirOf(env, home),
    colour: !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    terminationLog: env['KUBERNETES_SERVICE_HOST'] ? TERMINATION_LOG : null,
    env,
  };
}

/** The settings of this process. */
export function readCliSettings(): CliSettings {
  return cliSettings(process.env, homedir());
}
