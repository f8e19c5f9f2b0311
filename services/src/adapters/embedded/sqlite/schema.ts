/** Says that a SQLite file is one of ours: "HCLS". Source: https://www.sqlite.org/pragma.html#pragma_application_id */
export const APPLICATION_ID = 0x48434c53;

/**
 * `seq` numbers rows in the order in which they came, so that tables grow at their end. Digests are 64 bytes, outcomes
 * are numbers (`OUTCOMES`), times are milliseconds since 1970.
 *
 * Job ids are random, so an index by id that grows with history would touch another page for each new result, and each
 * page is written twice. `settled` is that index, but it is filled in long sorted runs, see `result-index.ts`. The live
 * jobs are few, so theirs is a plain one.
 */
const VERSION_1 = `
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  chain BLOB NOT NULL CHECK (length(chain) = 64),
  iterations INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position BETWEEN 1 AND iterations),
  digest BLOB NOT NULL CHECK (length(digest) = 64),
  class INTEGER NOT NULL,
  owner TEXT,
  attempts INTEGER NOT NULL,
  createdAt INTEGER NOT NULL,
  queuedAt INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_id ON jobs (id, tenant);
CREATE INDEX jobs_owner ON jobs (owner, class, queuedAt);

CREATE TABLE results (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  chain BLOB NOT NULL CHECK (length(chain) = 64),
  iterations INTEGER NOT NULL CHECK (iterations >= 1),
  digest BLOB CHECK (length(digest) = 64),
  outcome INTEGER NOT NULL CHECK ((outcome = 0) = (digest IS NOT NULL)),
  reason TEXT,
  computed INTEGER NOT NULL,
  worker TEXT,
  createdAt INTEGER NOT NULL,
  startedAt INTEGER,
  finishedAt INTEGER NOT NULL,
  expiresAt INTEGER NOT NULL
) STRICT;
CREATE INDEX results_finished ON results (tenant, outcome, finishedAt DESC, id);
CREATE INDEX results_expires ON results (expiresAt);

CREATE TABLE settled (
  key INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE settled_until (seq INTEGER NOT NULL) STRICT;
INSERT INTO settled_until VALUES (0);

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  leaseUntil INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

/**
 * Check values (`jobs/checksum.ts`); rows that were there before have none. `position` and `pointDigest` say where a cancelled
 * or failed job stood.
 */
const VERSION_2 = `
ALTER TABLE jobs ADD COLUMN checksum INTEGER;
ALTER TABLE results ADD COLUMN checksum INTEGER;
ALTER TABLE results ADD COLUMN position INTEGER;
ALTER TABLE results ADD COLUMN pointDigest BLOB CHECK (length(pointDigest) = 64);
`;

/** The store's clock when it was last written, in one row; see `store-clock.ts`. */
const VERSION_3 = `
CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  now INTEGER NOT NULL,
  expiry INTEGER NOT NULL
) STRICT;
`;

/** Each entry takes a file from the version of its place to the next. Entries are never changed, only added. */
export const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3];

/** The index for reuse of known chains. It holds only what is worth looking up, so it depends on that number. */
export function reuseIndex(reuseIterations: number): string {
  return `results_reuse_${reuseIterations}`;
}

export function createReuseIndex(reuseIterations: number): string {
  return `CREATE INDEX ${reuseIndex(reuseIterations)} ON results (substr(chain, 1, 8), iterations)
    WHERE outcome = 0 AND iterations >= ${reuseIterations}`;
}
