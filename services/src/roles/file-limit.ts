import { readFileSync } from 'node:fs';
import type { Logger } from '../ports/logger.ts';

/** Descriptors for everything but clients: store, servers, threads, probes, logs. */
const OTHER_FILES = 128;

/**
 * How many files this process may open (RLIMIT_NOFILE; Node.js raises the soft limit to the hard one at its start). Null
 * where the system does not say. Source: proc_pid_limits(5).
 */
export function openFileLimit(path = '/proc/self/limits'): number | null {
  let limits: string;
  try {
    limits = readFileSync(path, 'utf8');
  } catch {
    // Not Linux, or no /proc: nothing is known.
    return null;
  }
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  return soft === undefined || soft === 'unlimited' ? null : Number(soft);
}

/**
 * How many connections of clients fit into the limit, `wanted` at most: half of it where it is too low for the rest. A
 * connection beyond the limit of files is closed unseen, one beyond this number is refused in good order.
 */
export function connectionsWithin(wanted: number, limit: number | null): number {
  if (limit === null) return wanted;
  return Math.max(1, Math.min(wanted, Math.max(limit - OTHER_FILES, Math.floor(limit / 2))));
}

/** The settings with as many connections as files can be open; says so when these are fewer. */
export function withinFileLimit<T extends { readonly maxConnections: number }>(
  settings: T,
  logger: Logger,
  limit: number | null = openFileLimit(),
): T {
  const { maxConnections: wanted } = settings;
  const maxConnections = connectionsWithin(wanted, limit);
  if (maxConnections === wanted) return settings;
  logger.warn('MAX_CONNECTIONS is lowered: this process may open too few files (RLIMIT_NOFILE)', {
    ...{ wanted, maxConnections, openFiles: limit },
  });
  return { ...settings, maxConnections };
}
