/** Everything but the padding. Source: RFC 4648 §4. */
const FOREIGN = /[^A-Za-z0-9+/]/;

/**
 * What is wrong with a text as canonical base64 (RFC 4648 §4: padded, nothing between the characters, unused bits
 * zero); null when nothing is. One text per value, so that equal data cannot look different.
 */
export function base64Trouble(text: string): string | null {
  if (text.length % 4 !== 0) return `must be padded to a multiple of 4 characters; it has ${text.length}`;
  const body = text.replace(/={1,2}$/, '');
  const foreign = FOREIGN.exec(body);
  if (foreign) return `must be base64; character ${foreign.index + 1} is ${JSON.stringify(foreign[0])}`;
  const tail = body.slice(-(body.length % 4 || 4));
  if (
    body.length !== text.length &&
    Buffer.from(tail, 'base64').toString('base64').replace(/=+$/, '') !== tail
  )
    return 'must be canonical base64; the unused bits at its end are not zero';
  return null;
}
