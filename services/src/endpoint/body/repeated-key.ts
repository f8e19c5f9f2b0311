const QUOTE = '"';

/** Where the string that begins at `from` ends: after its closing quote. Source: RFC 8259 §7. */
function stringEnd(text: string, from: number): number {
  for (let quote = text.indexOf(QUOTE, from + 1); quote !== -1; quote = text.indexOf(QUOTE, quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

/**
 * The first key that a JSON object has twice; null when there is none. For texts that `JSON.parse` has taken. Jumps from
 * quote to quote: a regular expression keeps a place to come back to for every character of a string.
 */
export function repeatedKey(text: string): string | null {
  const seen = new Set<string>();
  let nesting = 0;
  let last = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === QUOTE) {
      const end = stringEnd(text, i);
      if (nesting === 1) last = text.slice(i, end);
      i = end - 1;
    } else if (character === '{' || character === '[') nesting++;
    else if (character === '}' || character === ']') nesting--;
    else if (character === ':' && nesting === 1) {
      const key = JSON.parse(last) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}
