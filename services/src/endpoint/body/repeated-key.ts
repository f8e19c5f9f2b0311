/** A JSON string, or anything that changes the nesting. Source: RFC 8259 §7. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/** The first key that a JSON object has twice; null when there is none. For texts that `JSON.parse` has taken. */
export function repeatedKey(text: string): string | null {
  const seen = new Set<string>();
  let nesting = 0;
  let last: string | null = null;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') nesting++;
    else if (token === '}' || token === ']') nesting--;
    else if (token === ':' && nesting === 1 && last !== null) {
      const key = JSON.parse(last) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
    last = token.startsWith('"') ? token : null;
  }
  return null;
}
