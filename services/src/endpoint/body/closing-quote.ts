const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** A search costs as much as looking at so many bytes; strings full of escaped quotes would take one for each. */
const NEAR = 64;

/**
 * Where the quote stands that closes a JSON string, of which the content goes on at `from`. `chunk.length` when it is not
 * in the chunk, and one more when the next byte after the chunk is escaped. Source: RFC 8259 §7.
 */
export function closingQuote(chunk: Buffer, from: number): number {
  let i = from;
  while (i < chunk.length) {
    for (const near = Math.min(i + NEAR, chunk.length); i < near; i++) {
      if (chunk[i] === QUOTE) return i;
      if (chunk[i] === BACKSLASH) i++;
    }
    if (i >= chunk.length) break;
    const quote = chunk.indexOf(QUOTE, i);
    const end = quote === -1 ? chunk.length : quote;
    const isEscaped = slashesBefore(chunk, i, end) % 2 === 1;
    if (quote === -1) return isEscaped ? end + 1 : end;
    if (!isEscaped) return quote;
    i = quote + 1;
  }
  return i;
}

/** How many backslashes stand directly before `end`, from `from` on. */
function slashesBefore(chunk: Buffer, from: number, end: number): number {
  let at = end;
  while (at > from && chunk[at - 1] === BACKSLASH) at--;
  return end - at;
}
