import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ClientGoneError } from '../problems.ts';
import type { Answer } from './answer.ts';

/** Large answers are written in pieces of about this many bytes, so that what a client takes can be seen. */
export const PIECE_BYTES = 64 * 1024;

const NO_HEADERS: readonly string[] = [];

/** Sends an answer piece by piece. Resolves when the client's system has it; rejects with `ClientGoneError`. */
export async function sendInPieces(
  res: ServerResponse,
  { status, type, body, headers = NO_HEADERS }: Answer,
): Promise<void> {
  const bytes = Buffer.from(body);
  res.writeHead(status, ['Content-Type', type, 'Content-Length', String(bytes.length), ...headers]);
  let at = 0;
  for (; bytes.length - at > PIECE_BYTES; at += PIECE_BYTES)
    await writePiece(res, bytes.subarray(at, at + PIECE_BYTES));
  await endWith(res, bytes.subarray(at));
}

/** Writes, and waits until the client has room for more. Rejects with `ClientGoneError`. */
export async function writePiece(res: ServerResponse, piece: string | Buffer): Promise<void> {
  if (res.destroyed) throw gone();
  if (res.write(piece)) return nextTurn();
  await untilEvent(res, 'drain');
}

/** Writes the last piece. Resolves when the client's system has it; rejects with `ClientGoneError`. */
export async function endWith(res: ServerResponse, piece: string | Buffer): Promise<void> {
  if (res.destroyed) throw gone();
  res.end(piece);
  if (!res.writableFinished) await untilEvent(res, 'finish');
}

async function untilEvent(res: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  res.once('close', leave);
  try {
    await once(res, event, { signal: left.signal });
  } catch (error) {
    throw gone(error);
  } finally {
    res.off('close', leave);
  }
}

function gone(cause?: unknown): ClientGoneError {
  return new ClientGoneError('The client went away before its answer was complete.', { cause });
}
