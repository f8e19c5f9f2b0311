/** Values that go beside a message. A HashCluster is named `cluster`, as `namespace/name`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logs: the message is constant, what varies is in the fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to everything. */
  child(fields: LogFields): Logger;
}
