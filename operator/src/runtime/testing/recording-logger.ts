import type { LogFields, Logger } from '../log.ts';

export interface Recorded {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that remembers, for tests. */
export class RecordingLogger implements Logger {
  readonly records: Recorded[];
  readonly #fields: LogFields;

  constructor(records: Recorded[] = [], fields: LogFields = {}) {
    this.records = records;
    this.#fields = fields;
  }

  /** `level message`, of all records but the debugging ones. */
  get lines(): string[] {
    return this.records
      .filter(({ level }) => level !== 'debug')
      .map(({ level, message }) => `${level} ${message}`);
  }

  debug(message: string, fields?: LogFields): void {
    this.#record('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#record('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#record('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#record('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new RecordingLogger(this.records, { ...this.#fields, ...fields });
  }

  #record(level: string, message: string, fields: LogFields = {}): void {
    this.records.push({ level, message, fields: { ...this.#fields, ...fields } });
  }
}
