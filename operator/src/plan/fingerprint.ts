/** Looked up once: these are called for all that there is of every object, in every round. */
const { isArray } = Array;
const { imul } = Math;

/** The same text for the same value, whatever the order of keys. */
export function canonical(value: unknown): string {
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null)
    return value === undefined ? 'null' : JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
/** Any other odd multiplier makes an independent second half. */
const OTHER_PRIME = 0x85ebca6b;

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}

/** 16 hexadecimal characters that change with the text. Not for secrets. Source: FNV-1a (Fowler, Noll, Vo), twice 32 bits. */
export function fingerprint(text: string): string {
  let [first, second] = [OFFSET, OFFSET];
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    first = imul(first ^ unit, PRIME);
    second = imul((second << 5) ^ (second >>> 27) ^ unit, OTHER_PRIME);
  }
  return hex(first) + hex(second);
}
