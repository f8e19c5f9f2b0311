import type { IncomingMessage } from 'node:http';

/** Whose jobs a request is about. Without keys, everybody's. */
export function tenantOf(_req: IncomingMessage): string {
  return 'default';
}
