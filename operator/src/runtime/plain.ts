/** Bounds, so that one careless log line cannot fill a disk. */
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 8_192;

/**
 * A value that `JSON.stringify` takes: errors with stack, cause and what else hangs on them; long text, long lists and
 * deep or circular objects are cut; bytes are only counted.
 */
export function plain(value: unknown, depth = MAX_DEPTH): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… (${value.length} characters)` : value;
    case 'object':
      return value === null ? null : plainObject(value, depth);
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    default:
      return String(value);
  }
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Date) return String(value.valueOf());
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (depth <= 0) return Array.isArray(value) ? '[…]' : '{…}';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => plain(item, depth - 1));
  return plainEntries(isError(value) ? errorFields(value) : value, depth);
}

/** Errors of other realms (test sandboxes) are errors too. */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function errorFields(error: Error): object {
  const { name, message, stack, cause } = error;
  return Object.assign({}, error, { name, message, stack }, cause !== undefined && { cause });
}

function plainEntries(value: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([name, item]) => [name, plain(item, depth - 1)]));
}
