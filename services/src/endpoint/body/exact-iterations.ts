/** A JSON number. Source: RFC 8259 §6. */
const NUMBER = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
const KEY = /"iterations"\s*:\s*(-?[0-9][0-9.eE+-]*)/;
const ZERO = '0';
/** `iterations` stands before or after the data, which alone can be long. */
const EDGE = 4_096;

/**
 * How `iterations` is written in the text of an item that `JSON.parse` has taken; null where the key is written with
 * escapes. A quote that is not escaped begins or ends a string, so what is found is the key and no part of the data.
 */
export function iterationsSource(text: string): string | null {
  const edges = text.length > 2 * EDGE ? [text.slice(0, EDGE), text.slice(-EDGE)] : [];
  for (const part of edges) {
    const found = KEY.exec(part);
    // A number that reaches the end of its part may go on in the next one.
    if (found && found.index + found[0].length < part.length) return found[1]!;
  }
  return KEY.exec(text)?.[1] ?? null;
}

/**
 * Whether a JSON number is written as a whole number: `1000`, `1e3` and `1.0` are, `1.00000000000000000001` is not, though
 * a double cannot tell it from 1.
 */
export function isWhole(source: string): boolean {
  const [, digits = '', fraction = '', power = '0'] = NUMBER.exec(source) ?? [];
  if (fraction === '' && power === '0') return digits !== '';
  const written = `${digits}${fraction}`;
  // A regular expression would try the zeros again from each of them.
  let end = written.length;
  while (end > 0 && written[end - 1] === ZERO) end--;
  if (end === 0) return digits !== '';
  const dropped = written.length - end;
  return Number(power) - fraction.length + dropped >= 0;
}
