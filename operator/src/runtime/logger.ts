import type { Writable } from 'node:stream';
import winston from 'winston';
import { type Clock, systemClock } from './clock.ts';
import type { LogFields, Logger } from './log.ts';
import { plain } from './plain.ts';

/** What is written: a level and everything graver. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Who speaks: `service` in every line. */
  readonly service: string;
  readonly stream: Writable;
  readonly clock?: Clock;
}

const OWN_NAMES = new Set(['timestamp', 'level', 'message', 'service']);

class WinstonLogger implements Logger {
  readonly #winston: winston.Logger;
  readonly #fields: LogFields;

  constructor(logger: winston.Logger, fields: LogFields) {
    this.#winston = logger;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new WinstonLogger(this.#winston, { ...this.#fields, ...fields });
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    // In one object: winston would take a field named `message` for a part of the message.
    if (this.#winston.isLevelEnabled(level)) {
      this.#winston.log({ level, message, own: { ...this.#fields, ...fields } });
    }
  }
}

/**
 * Logs as JSON, one object per line: timestamp (RFC 3339, UTC), level, message, service, then the fields, errors with
 * stack and cause. A stream that fails, such as a reader that went away, stops nothing.
 */
export function createLogger({ level, service, stream, clock = systemClock }: LoggerOptions): Logger {
  const line = winston.format.printf(({ level: at, message, own }) => {
    const head = { timestamp: new Date(clock.now()).toISOString(), level: at, message, service };
    const fields = Object.entries(plain(own) as object).map(([name, value]) => [
      OWN_NAMES.has(name) ? `fields.${name}` : name,
      value as unknown,
    ]);
    return JSON.stringify({ ...head, ...(Object.fromEntries(fields) as object) });
  });
  // Whoever reads the log is gone; there is nobody left to tell.
  stream.on('error', () => undefined);
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    transports: [new winston.transports.Stream({ stream, format: line })],
  });
  return new WinstonLogger(logger, {});
}
