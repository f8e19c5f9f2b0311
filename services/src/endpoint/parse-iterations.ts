/** How much of a wrong value is shown to its sender. */
const SHOWN = 40;

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** The digits of a number without an exponent's magnitude: more than these cannot be a safe integer. */
const MAX_DIGITS = 16;

/**
 * What is wrong with `iterations` written as text, in a query; null when nothing is. Only plain decimal digits count:
 * everything else that `Number` would take (hexadecimal, exponents, blanks, fractions) is a mistake somewhere.
 */
export function iterationsTextTrouble(text: string, max: number): string | null {
  if (text === '') return 'iterations is empty; it must be a whole number from 1';
  if (/^[0-9]+$/.test(text)) return digitsTrouble(text, max);
  if (/^-[0-9]/.test(text)) return `iterations must be at least 1, not ${shown(text)}`;
  if (/^[0-9]+\.[0-9]*$/.test(text)) return `iterations must be a whole number, not ${shown(text)}`;
  return `iterations must be written in plain decimal digits, not ${shown(text)}`;
}

function digitsTrouble(text: string, max: number): string | null {
  if (/^0+$/.test(text)) return 'iterations must be at least 1, not 0';
  if (text.startsWith('0')) return `iterations must be written without leading zeros, not ${shown(text)}`;
  if (text.length > MAX_DIGITS || Number(text) > max)
    return `iterations must be at most ${max}, not ${shown(text)}`;
  return null;
}

/** What is wrong with `iterations` in a JSON document, where only numbers count; null when nothing is. */
export function iterationsValueTrouble(value: unknown, max: number): string | null {
  if (value === undefined) return 'iterations is missing';
  if (typeof value !== 'number') return `iterations must be a number, not ${kindOf(value)}`;
  if (!Number.isFinite(value))
    return `iterations must be at most ${max}; the number given is too large to be read`;
  if (value < 1) return `iterations must be at least 1, not ${value}`;
  if (!Number.isInteger(value)) return `iterations must be a whole number, not ${value}`;
  if (value > max) return `iterations must be at most ${max}, not ${value}`;
  return null;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
