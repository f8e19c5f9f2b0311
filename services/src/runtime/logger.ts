import type { Writable } from 'node:stream';
import winston from 'winston';
import type { Clock } from '../ports/clock.ts';
import type { LogFields, Logger } from '../ports/logger.ts';
import { jsonLine, prettyLine, type LogRecord } from './log-lines.ts';
import type { LogFormat, LogLevel, LogSettings } from './log-settings.ts';
import { plainValue } from './log-values.ts';
import { systemClock } from './system-clock.ts';

export interface LoggerOptions extends LogSettings {
  /** Who speaks: `service` in every line. */
  readonly service: string;
  readonly stream: 'stdout' | 'stderr' | Writable;
  /** Colours for `pretty`. Default: none. */
  readonly colour?: boolean;
  /** Where records go besides the stream. They carry `record: LogRecord`. */
  readonly transports?: readonly winston.transport[];
  readonly clock?: Clock;
}

/** The port's logger, and what the process must know of it. */
export interface ServiceLogger extends Logger {
  /** How often the stream has failed to take a line. */
  writeFailures(): number;
  /** Lets go of the stream. What is logged afterwards is still written. Idempotent. */
  close(): void;
}

type Level = Exclude<LogLevel, 'silent'>;
const RANKS: Readonly<Record<LogLevel, number>> = { silent: -1, error: 0, warn: 1, info: 2, debug: 3 };
const LEVELS: Readonly<Record<Level, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** What travels through winston. Transports of our own read `record`. */
export interface LogInfo extends winston.Logform.TransformableInfo {
  readonly record: LogRecord;
}

function linesFormat(format: LogFormat, colour: boolean): winston.Logform.Format {
  return winston.format.printf((info) => {
    const { record } = info as LogInfo;
    return format === 'json' ? jsonLine(record) : prettyLine(record, colour);
  });
}

/** Each transport formats for itself; winston's own default would make JSON of everything once more. */
const untouched = winston.format((info) => info);

function standardStream(stream: LoggerOptions['stream']): Writable {
  if (stream === 'stdout') return process.stdout;
  return stream === 'stderr' ? process.stderr : stream;
}

/** What all children of one logger share. */
interface Sink {
  readonly winston: winston.Logger;
  readonly service: string;
  readonly rank: number;
  readonly clock: Clock;
}

class WinstonLogger implements Logger {
  readonly #sink: Sink;
  readonly #fields: LogFields;

  constructor(sink: Sink, fields: LogFields) {
    this.#sink = sink;
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
    return new WinstonLogger(this.#sink, { ...this.#fields, ...fields });
  }

  #log(level: Level, message: string, fields: LogFields | undefined): void {
    const { winston: logger, service, rank, clock } = this.#sink;
    if (RANKS[level] > rank) return;
    const plain = plainValue({ ...this.#fields, ...fields }) as Record<string, unknown>;
    const record: LogRecord = { at: clock.now(), level, message, service, fields: plain };
    logger.log({ level, message, record } satisfies LogInfo);
  }
}

/**
 * Structured logs through winston. JSON lines have timestamp (RFC 3339, UTC), level, message, service, then the fields;
 * errors among the fields are written with stack and cause. A stream that fails (a reader that went away) never stops the
 * process: its failures are counted.
 */
export function createLogger(options: LoggerOptions): ServiceLogger {
  const stream = standardStream(options.stream);
  let failures = 0;
  const onError = (): void => {
    failures++;
  };
  stream.on('error', onError);
  const lines = new winston.transports.Stream({
    stream,
    format: linesFormat(options.format, options.colour ?? false),
  });
  const sink: Sink = {
    winston: winston.createLogger({
      levels: LEVELS,
      level: 'debug',
      format: untouched(),
      transports: [lines, ...(options.transports ?? [])],
    }),
    service: options.service,
    rank: RANKS[options.level],
    clock: options.clock ?? systemClock,
  };
  return Object.assign(new WinstonLogger(sink, {}), {
    writeFailures: () => failures,
    close: () => {
      stream.off('error', onError);
    },
  });
}
