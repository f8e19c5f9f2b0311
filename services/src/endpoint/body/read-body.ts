import type { IncomingMessage, ServerResponse } from 'node:http';
import { expectsContinue } from '../http/answer.ts';
import { ClientGoneError, ProblemError, problem, type Problem } from '../problems.ts';
import type { BodySlices } from './body-slices.ts';

/** Takes a body in as it comes. */
export interface BodySink {
  /**
   * Works on the beginning of a piece. Returns how many of its bytes that was, one at least; the rest is given again.
   * May throw a `ProblemError`: the rest is then not wanted any more.
   */
  write(piece: Buffer): number;
  /** The largest piece that is worked on in one go; a sink that does little per byte takes chunks as they come. */
  readonly pieceBytes?: number;
}

export interface ReadOptions {
  /** Inclusive. */
  readonly maxBytes: number;
  readonly slices: BodySlices;
}

/** For sinks that build something of every few bytes. */
export const ITEM_PIECE_BYTES = 8 * 1024;

function tooLarge(maxBytes: number): Problem {
  return problem('too-large', `The body may have at most ${maxBytes} bytes.`);
}

function refuseByHeaders(req: IncomingMessage, maxBytes: number): void {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ProblemError(
      problem(
        'unsupported-media-type',
        `The body must come as it is, without Content-Encoding: ${encoding}.`,
      ),
    );
  // RFC 9110 §14.5: a part of something is not to be taken for all of it.
  if (req.headers['content-range'] !== undefined)
    throw new ProblemError(
      problem(
        'malformed-request',
        'A part of a body (Content-Range) cannot be hashed; send it from its start.',
      ),
    );
  const length = req.headers['content-length'];
  if (length !== undefined && Number(length) > maxBytes) throw new ProblemError(tooLarge(maxBytes));
}

/**
 * Streams the body of a request into a sink, without holding any of it. Resolves with its length in bytes.
 * Rejects with `too-large` as soon as it is known to be, with what the sink throws, and with `ClientGoneError` when the
 * body ends before it is complete.
 */
export function readBody(
  req: IncomingMessage,
  res: ServerResponse,
  sink: BodySink,
  options: ReadOptions,
): Promise<number> {
  refuseByHeaders(req, options.maxBytes);
  return new Promise((resolve, reject) => {
    const reading = new Reading(req, sink, options, (error) =>
      error === null ? resolve(reading.bytes) : reject(error),
    );
    req.on('data', (chunk: Buffer) => reading.take(chunk));
    req.on('end', () => reading.end());
    req.on('error', () => reading.gone());
    req.on('close', () => reading.gone());
    if (expectsContinue(req)) res.writeContinue();
  });
}

/** One body on its way in. What comes after the end, or after a refusal, is dropped. */
class Reading {
  bytes = 0;
  readonly #req: IncomingMessage;
  readonly #sink: BodySink;
  readonly #options: ReadOptions;
  readonly #onSettled: (error: Error | null) => void;
  #ended = false;
  #settled = false;
  /** Has had its first step: that is done at once, so that small bodies do not wait for large ones. */
  #begun = false;
  /** A chunk is worked on, across turns of the event loop; others may come nevertheless. */
  #working = false;
  readonly #waiting: Buffer[] = [];

  constructor(
    req: IncomingMessage,
    sink: BodySink,
    options: ReadOptions,
    onSettled: (error: Error | null) => void,
  ) {
    this.#req = req;
    this.#sink = sink;
    this.#options = options;
    this.#onSettled = onSettled;
  }

  /** The last chunk has come. It may still be worked on: pausing holds chunks back, but not the end of the stream. */
  end(): void {
    this.#ended = true;
    if (!this.#working) this.#settle(null);
  }

  /** The client went away: that matters as long as something is missing. */
  gone(): void {
    if (this.#settled || this.#ended) return;
    this.#settle(new ClientGoneError('The client went away before its body was complete.'));
  }

  take(chunk: Buffer): void {
    if (this.#settled) return;
    this.bytes += chunk.length;
    const { maxBytes } = this.#options;
    if (this.bytes > maxBytes) this.#settle(new ProblemError(tooLarge(maxBytes)));
    else if (this.#working) this.#waiting.push(chunk);
    else this.#work(chunk, 0);
  }

  /** Works on a chunk, piece by piece, and lets the others have their turn when that takes long. */
  #work(chunk: Buffer, from: number): void {
    const { slices } = this.#options;
    const { pieceBytes = chunk.length } = this.#sink;
    this.#working = true;
    let at = from;
    let since = slices.now();
    while (at < chunk.length && !this.#settled) {
      if (slices.isOver && this.#begun) {
        this.#req.pause();
        slices.defer(() => this.#work(chunk, at));
        return;
      }
      this.#begun = true;
      at += this.#write(chunk.subarray(at, at + pieceBytes));
      since = slices.charge(since);
    }
    this.#working = false;
    this.#goOn();
  }

  #goOn(): void {
    const next = this.#settled ? undefined : this.#waiting.shift();
    if (next) this.#work(next, 0);
    else if (this.#ended) this.#settle(null);
    else if (this.#req.isPaused()) this.#req.resume();
  }

  #settle(error: Error | null): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#onSettled(error);
  }

  #write(piece: Buffer): number {
    try {
      return this.#sink.write(piece);
    } catch (error) {
      this.#settle(error as Error);
      return piece.length;
    }
  }
}
