import type { IncomingMessage, ServerResponse } from 'node:http';
import { lingeringClose } from './lingering-close.ts';
import { PROBLEM_MEDIA_TYPE, problemJson, statusOf, type Problem } from '../problems.ts';

/** Headers beyond type and length, flat: name, value, name, value … */
export type FlatHeaders = readonly string[];

export const JSON_TYPE = 'application/json';
export const NDJSON_TYPE = 'application/x-ndjson';
const NO_STORE: FlatHeaders = ['Cache-Control', 'no-store'];
const NO_HEADERS: FlatHeaders = [];

/** A body that has not come in yet, but is at most this long, is simply read over: the connection can go on. */
const SMALL_REST_BYTES = 64 * 1024;
const MAX_INSTANCE = 500;

/** An answer that is complete. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: FlatHeaders;
}

/** Sends an answer. */
export function send(res: ServerResponse, { status, type, body, headers = NO_HEADERS }: Answer): void {
  res.writeHead(status, [
    'Content-Type',
    type,
    'Content-Length',
    String(Buffer.byteLength(body)),
    ...headers,
  ]);
  res.end(body);
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, status: number, body: string, headers = NO_HEADERS): void {
  send(res, { status, type: JSON_TYPE, body, headers });
}

/** Answers with JSON that is only true now. */
export function sendFresh(res: ServerResponse, body: string): void {
  send(res, { status: 200, type: JSON_TYPE, body, headers: NO_STORE });
}

/** The path of the request, unless it is absurdly long. */
function instanceOf({ url }: IncomingMessage): string | undefined {
  const path = url?.split('?', 1)[0];
  return path !== undefined && path.length <= MAX_INSTANCE ? path : undefined;
}

/** Bytes of the request's body that have not come in yet; infinite when the client did not say. */
function restOf(req: IncomingMessage): number {
  if (req.complete) return 0;
  if (req.headers['transfer-encoding'] !== undefined) return Infinity;
  const length = req.headers['content-length'];
  return length === undefined ? 0 : Number(length);
}

/** Whether the client waits for a sign before it sends the body. Source: RFC 9110 §10.1.1. */
export function expectsContinue(req: IncomingMessage): boolean {
  return req.headers.expect?.toLowerCase() === '100-continue';
}

/**
 * Answers with a problem. When much of the body is still to come, the connection is closed, but not before the client
 * had the time to read the answer.
 * When an answer is under way already, all that can be done is to break the connection.
 */
export function sendProblem(req: IncomingMessage, res: ServerResponse, what: Problem): void {
  if (res.headersSent) {
    if (!res.writableEnded) res.destroy();
    return;
  }
  const body = problemJson(what, instanceOf(req));
  const headers = [...NO_STORE, ...Object.entries(what.headers).flat()];
  if (!closesEarly(req, what)) {
    send(res, { status: statusOf(what), type: PROBLEM_MEDIA_TYPE, body, headers });
    return;
  }
  headers.push('Content-Type', PROBLEM_MEDIA_TYPE, 'Content-Length', String(Buffer.byteLength(body)));
  if (what.headers['Connection'] === undefined) headers.push('Connection', 'close');
  res.writeHead(statusOf(what), headers);
  res.write(body);
  req.resume();
  lingeringClose(req.socket);
}

/** Whether the connection is closed while the client may still be sending. */
function closesEarly(req: IncomingMessage, what: Problem): boolean {
  if (req.complete) return false;
  return what.headers['Connection'] === 'close' || restOf(req) > SMALL_REST_BYTES || expectsContinue(req);
}
