import type { Readable } from 'node:stream';
import type { KubeObject } from '../plan/kube.ts';
import { ApiError } from './errors.ts';

/** Source: Kubernetes API, `meta/v1 WatchEvent`; errors are thrown instead. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

/** What the server sent is no watch event. */
export class WatchLineError extends Error {
  override readonly name = 'WatchLineError';
}

const LINE_FEED = 0x0a;
/** Objects have at most 1.5 MiB in etcd; managed fields and JSON make them larger. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const TYPES = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/**
 * The events of a watch, until the server ends it. Throws when the connection is lost, when nothing comes for `idleMs`
 * milliseconds, `WatchLineError` for what is no event, and `ApiError` for an event of type ERROR.
 */
export async function* watchEvents(body: Readable, idleMs: number): AsyncGenerator<WatchEvent> {
  const idle = setTimeout(() => body.destroy(new Error(`the watch was silent for ${idleMs} ms`)), idleMs);
  try {
    for await (const line of linesOf(body, () => void idle.refresh())) yield parseEvent(line);
  } finally {
    clearTimeout(idle);
    body.destroy();
  }
}

async function* linesOf(body: Readable, onData: () => void): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    onData();
    let from = 0;
    for (let to = chunk.indexOf(LINE_FEED); to >= 0; to = chunk.indexOf(LINE_FEED, from)) {
      parts.push(chunk.subarray(from, to));
      yield Buffer.concat(parts).toString();
      parts = [];
      held = 0;
      from = to + 1;
    }
    parts.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > MAX_LINE_BYTES) throw new WatchLineError(`a line of more than ${MAX_LINE_BYTES} bytes`);
  }
  if (held > 0) throw new WatchLineError('the watch ended within a line');
}

function parseEvent(line: string): WatchEvent {
  const { type, object } = parseLine(line);
  if (type === 'ERROR') {
    const { code = 500, reason = '', message = '', details = {} } = object as StatusObject;
    throw new ApiError('watch', code, { reason, message, details });
  }
  if (!TYPES.has(type) || !('metadata' in object)) {
    throw new WatchLineError(`no watch event: ${line.slice(0, 100)}`);
  }
  return { type, object } as WatchEvent;
}

interface StatusObject {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

function parseLine(line: string): { readonly type: string; readonly object: object } {
  try {
    const event = JSON.parse(line) as { type?: unknown; object?: object | null } | null;
    return { type: String(event?.type), object: event?.object ?? {} };
  } catch (cause) {
    throw new WatchLineError(`no JSON: ${line.slice(0, 100)}`, { cause });
  }
}
