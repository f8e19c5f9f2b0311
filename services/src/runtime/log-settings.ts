import type { EnvReader } from './settings.ts';

/** What is written: a level and everything graver. `silent` writes nothing. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `json`: one object per line, for machines. `pretty`: one line of text, for people. */
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** `LOG_LEVEL` and `LOG_FORMAT`. */
export function logSettings(read: EnvReader, defaults: LogSettings): LogSettings {
  return {
    level: read.choice('LOG_LEVEL', { default: defaults.level, of: LOG_LEVELS }),
    format: read.choice('LOG_FORMAT', { default: defaults.format, of: LOG_FORMATS }),
  };
}
