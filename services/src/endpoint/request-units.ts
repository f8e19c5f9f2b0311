/** Rows shown, items of a batch, and bytes of a body that cost as much as a request that is small: measured, roughly. */
const ROWS = 10;
const ITEMS = 100;
const BYTES = 256 * 1024;

/** What a list costs beyond the request itself, in requests. */
export function unitsOfRows(rows: number): number {
  return Math.floor(rows / ROWS);
}

/** What a submission costs beyond the request itself, in requests: by its items and by its body. */
export function unitsOfSubmission(items: number, bytes: number): number {
  return Math.floor(items / ITEMS) + Math.floor(bytes / BYTES);
}
