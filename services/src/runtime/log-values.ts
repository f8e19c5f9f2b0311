/** Bounds, so that one careless log line cannot fill a disk. */
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 8_192;

/** An error as plain data: name, message, stack, what else hangs on it, and its cause, as deep as the bounds allow. */
function plainError(error: Error, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = { name: error.name, message: error.message, stack: error.stack };
  for (const [key, value] of Object.entries(error)) plain[key] ??= value;
  if (error.cause !== undefined) plain['cause'] = error.cause;
  if (error instanceof AggregateError) plain['errors'] = error.errors;
  return plainObject(plain, depth);
}

function plainObject(object: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(object).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([key, value]) => [key, plainValue(value, depth - 1)]));
}

/** Objects that say what they are in one word; undefined for all others. */
function shortForm(object: object): string | undefined {
  if (object instanceof Date) return Number.isNaN(object.getTime()) ? 'Invalid Date' : object.toISOString();
  if (object instanceof Uint8Array) return `${object.byteLength} bytes`;
  return undefined;
}

/** Errors of other realms (worker threads, test sandboxes) are errors too. */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function plainStructure(object: object, depth: number): unknown {
  const short = shortForm(object);
  if (short !== undefined) return short;
  if (depth <= 0) return Array.isArray(object) ? '[…]' : '{…}';
  if (isError(object)) return plainError(object, depth);
  if (object instanceof Map || object instanceof Set) return plainStructure([...object], depth);
  if (Array.isArray(object)) return object.slice(0, MAX_ITEMS).map((item) => plainValue(item, depth - 1));
  return plainObject(object, depth);
}

/**
 * A value that `JSON.stringify` takes without losing anything that matters or throwing: errors with stack and cause,
 * big integers and functions as text; long text, long lists and deep or circular objects are cut.
 */
export function plainValue(value: unknown, depth = MAX_DEPTH): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… (${value.length} characters)` : value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      return value === null ? null : plainStructure(value, depth);
    case 'boolean':
    case 'undefined':
      return value;
    default:
      return String(value);
  }
}
