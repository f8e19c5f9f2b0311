/** One log record, ready to be written. Fields are plain values. */
export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: string;
  readonly message: string;
  readonly service: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Names that every line has; a field of the same name is written as `fields.<name>`. */
const OWN_NAMES = new Set(['timestamp', 'level', 'message', 'service']);

const COLOURS: Readonly<Record<string, string>> = { error: '31', warn: '33', info: '32', debug: '90' };

/** The record as a flat object, in the order in which people want to read it. */
export function flatRecord(record: LogRecord): Record<string, unknown> {
  const flat: Record<string, unknown> = {
    timestamp: new Date(record.at).toISOString(),
    level: record.level,
    message: record.message,
    service: record.service,
  };
  for (const [key, value] of Object.entries(record.fields)) {
    flat[OWN_NAMES.has(key) ? `fields.${key}` : key] = value;
  }
  return flat;
}

/** One JSON object, on one line. */
export function jsonLine(record: LogRecord): string {
  return JSON.stringify(flatRecord(record));
}

/** One line of text: local time, level, message, `key=value` … Errors are their message, causes and first place. */
export function prettyLine(record: LogRecord, colour: boolean): string {
  const time = new Date(record.at);
  const millis = String(time.getMilliseconds()).padStart(3, '0');
  const head = `${time.toTimeString().slice(0, 8)}.${millis}`;
  const level = paint(record.level.toUpperCase().padEnd(5), colour ? COLOURS[record.level] : undefined);
  const fields = Object.entries(record.fields).flatMap(([key, value]) => prettyField(key, value));
  return [head, level, oneLine(record.message), ...fields].join(' ');
}

function paint(text: string, code: string | undefined): string {
  return code ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function prettyField(key: string, value: unknown): string[] {
  if (value === undefined) return [];
  const name = oneLine(key);
  if (!isPlainError(value)) return [`${name}=${prettyValue(value)}`];
  const place = /^\s+at (?:.*\()?(.+?)\)?$/m.exec(String(value.stack))?.[1];
  const field = `${name}=${JSON.stringify(errorText(value))}`;
  return place ? [field, `at=${prettyValue(place)}`] : [field];
}

function prettyValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: unknown;
  readonly cause?: unknown;
}

function isPlainError(value: unknown): value is PlainError {
  return (
    typeof value === 'object' && value !== null && 'name' in value && 'message' in value && 'stack' in value
  );
}

function errorText(error: PlainError): string {
  const own = `${error.name}: ${error.message}`;
  if (error.cause === undefined) return own;
  const cause = isPlainError(error.cause) ? errorText(error.cause) : prettyValue(error.cause);
  return `${own} (caused by ${cause})`;
}

/** Control characters in a message must not forge a second line. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]/g, ' ');
}
