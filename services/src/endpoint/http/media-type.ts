/** The media types that a document can come in. */
export type DocumentType = 'json' | 'ndjson';

/** A map: every object has a `constructor`. */
const TYPES: ReadonlyMap<string, DocumentType> = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
]);

/** Whether a body is a form with files, whose boundary is another one each time. Source: RFC 7578. */
export function isForm(header: string | undefined): boolean {
  return header !== undefined && /^multipart\//i.test(header.trim());
}

/**
 * What a `Content-Type` says about a document; null when it is none we read. A charset other than UTF-8 is not read:
 * JSON is UTF-8 (RFC 8259 §8.1).
 */
export function documentType(header: string | undefined): DocumentType | null {
  if (header === undefined) return null;
  if (header === 'application/json') return 'json';
  const [type, ...parameters] = header.toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return null;
  return TYPES.get(type!.trim()) ?? null;
}
