import { DEFAULT_ADMIN_PORT, DEFAULT_HOST, DEFAULT_PORT, type CliSettings } from './settings.ts';
import { logSettings, type LogFormat, type LogLevel } from '../runtime/log-settings.ts';
import { embeddedSettings } from '../roles/settings.ts';
import { readSettings, readTogether } from '../runtime/settings.ts';

/** What the user said about the service to run; what is missing comes from the environment, or is as usual. */
export interface LaunchFlags {
  readonly host?: string;
  readonly port?: number;
  readonly adminHost?: string;
  readonly adminPort?: number;
  readonly data: string;
  readonly engines?: number;
  readonly backend?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

/** The service to run. A port of 0 is any free one. */
export interface LaunchOptions {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly data: string;
  readonly engines: number | null;
  readonly backend: string | null;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** What holds when nobody says anything. */
export interface LaunchDefaults {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/**
 * Flags, then the environment, then the usual. Throws one `SettingsError` for all that is wrong in the environment, also
 * for what only the service itself reads.
 */
export function launchOptions(
  flags: LaunchFlags,
  env: CliSettings['env'],
  defaults: LaunchDefaults,
): LaunchOptions {
  const { said } = readTogether({
    said: () => readOptions(env, defaults),
    service: () => embeddedSettings({ ...optionsOf(flags, UNREAD), dataDir: flags.data, version: '', env }),
  });
  return optionsOf(flags, said);
}

/** What the environment says of the options. */
interface Said extends LaunchDefaults {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
}

/** Stands in while the rest of the environment is checked. */
const UNREAD: Said = {
  ...{ host: DEFAULT_HOST, port: DEFAULT_PORT, adminHost: DEFAULT_HOST, adminPort: DEFAULT_ADMIN_PORT },
  ...{ logLevel: 'info', logFormat: 'json' },
};

function readOptions(env: CliSettings['env'], defaults: LaunchDefaults): Said {
  return readSettings(env, (read) => {
    const port = { min: 0, max: 65_535 };
    const log = logSettings(read, { level: defaults.logLevel, format: defaults.logFormat });
    return {
      host: read.text('LISTEN_HOST', { default: DEFAULT_HOST }),
      port: read.integer('LISTEN_PORT', { default: DEFAULT_PORT, ...port }),
      adminHost: read.text('ADMIN_HOST', { default: DEFAULT_HOST }),
      adminPort: read.integer('ADMIN_PORT', { default: DEFAULT_ADMIN_PORT, ...port }),
      ...{ logLevel: log.level, logFormat: log.format },
    };
  });
}

function optionsOf(flags: LaunchFlags, said: Said): LaunchOptions {
  return {
    host: flags.host ?? said.host,
    port: flags.port ?? said.port,
    adminHost: flags.adminHost ?? said.adminHost,
    adminPort: flags.adminPort ?? said.adminPort,
    data: flags.data,
    engines: flags.engines ?? null,
    backend: flags.backend ?? null,
    logLevel: flags.logLevel ?? said.logLevel,
    logFormat: flags.logFormat ?? said.logFormat,
  };
}
