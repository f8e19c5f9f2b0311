/** What a client would like. Source: RFC 7240. */
export interface Preferences {
  /** Seconds for which it would wait; null when it did not say. */
  readonly wait: number | null;
}

const NO_PREFERENCES: Preferences = { wait: null };

/** A preference without its parameters: a token, and a word that may follow it. Source: RFC 7240 §2. */
const PREFERENCE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(.*))?$/;

/** Headers longer than this are nobody's preferences. */
const MAX_HEADER = 1_000;

/** Parts between separators that stand outside quotes; null when a quote is not closed. */
function splitOutsideQuotes(text: string, separator: string): string[] | null {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === separator) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return quoted ? null : parts;
}

/** Delta-seconds: digits, which may be quoted. */
function secondsOf(word: string | undefined): number | null {
  const digits = /^("?)([0-9]{1,9})\1$/.exec(word?.trim() ?? '');
  return digits ? Number(digits[2]) : null;
}

/**
 * Reads a `Prefer` header. The first mention of a preference counts. What cannot be read is ignored, and so is a header
 * that is broken anywhere: a preference is only a wish.
 */
export function parsePrefer(header: string | undefined): Preferences {
  if (header === undefined || header.length > MAX_HEADER) return NO_PREFERENCES;
  let wait: number | null | undefined;
  for (const part of splitOutsideQuotes(header, ',') ?? []) {
    const first = splitOutsideQuotes(part, ';')![0]!.trim();
    if (first === '') continue;
    const match = PREFERENCE.exec(first);
    if (!match) return NO_PREFERENCES;
    if (match[1]!.toLowerCase() === 'wait' && wait === undefined) wait = secondsOf(match[2]);
  }
  return { wait: wait ?? null };
}
