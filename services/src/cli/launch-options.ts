import { DEFAULT_ADMIN_PORT, DEFAULT_HOST, DEFAULT_PORT, type CliSettings } from './settings.ts';
import { logSettings, type LogFormat, type LogLevel } from '../runtime/log-settings.ts';
import { readSettings } from '../runtime/settings.ts';

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

/** Flags, then the environment, then the usual. Throws `SettingsError` when the environment is wrong. */
export function launchOptions(
  flags: LaunchFlags,
  env: CliSettings['env'],
  defaults: LaunchDefaults,
): LaunchOptions {
  const said = readSettings(env, (read) => {
    const port = { min: 0, max: 65_535 };
    return {
      host: read.text('LISTEN_HOST', { default: DEFAULT_HOST }),
      port: read.integer('LISTEN_PORT', { default: DEFAULT_PORT, ...port }),
      adminHost: read.text('ADMIN_HOST', { default: DEFAULT_HOST }),
      adminPort: read.integer('ADMIN_PORT', { default: DEFAULT_ADMIN_PORT, ...port }),
      log: logSettings(read, { level: defaults.logLevel, format: defaults.logFormat }),
    };
  });
  return {
    host: flags.host ?? said.host,
    port: flags.port ?? said.port,
    adminHost: flags.adminHost ?? said.adminHost,
    adminPort: flags.adminPort ?? said.adminPort,
    data: flags.data,
    engines: flags.engines ?? null,
    backend: flags.backend ?? null,
    logLevel: flags.logLevel ?? said.log.level,
    logFormat: flags.logFormat ?? said.log.format,
  };
}
