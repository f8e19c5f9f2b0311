import { DatabaseSync } from 'node:sqlite';
import type { Tampering } from '../../../ports/job-store-conformance-kit.ts';

const CHANGES: Readonly<Record<Tampering, string>> = {
  // The last bit of the last byte.
  digest: `digest = unhex(substr(hex(digest), 1, 127) || CASE substr(hex(digest), 128)
    WHEN '0' THEN '1' WHEN '1' THEN '0' WHEN '2' THEN '3' WHEN '3' THEN '2' WHEN '4' THEN '5' WHEN '5' THEN '4'
    WHEN '6' THEN '7' WHEN '7' THEN '6' WHEN '8' THEN '9' WHEN '9' THEN '8' WHEN 'A' THEN 'B' WHEN 'B' THEN 'A'
    WHEN 'C' THEN 'D' WHEN 'D' THEN 'C' WHEN 'E' THEN 'F' ELSE 'E' END)`,
  position: 'position = position + 1024',
  iterations: 'iterations = iterations + 1048576',
  unchecked: 'checksum = NULL',
};

/** Changes the rows of a job in a file that nobody has open. */
export function tamper(file: string, id: string, how: Tampering): void {
  const db = new DatabaseSync(file);
  try {
    db.prepare(`UPDATE jobs SET ${CHANGES[how]} WHERE id = ?`).run(id);
    if (how !== 'position') db.prepare(`UPDATE results SET ${CHANGES[how]} WHERE id = ?`).run(id);
  } finally {
    db.close();
  }
}
