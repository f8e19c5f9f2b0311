import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../ports/clock.ts';

export interface SlowBodiesOptions {
  readonly clock: Clock;
  /** A body must bring at least so many bytes per second, averaged over a window. 0: any. */
  readonly minBytesPerSecond: number;
  readonly windowMs: number;
  /** The client is to be turned away. */
  readonly onSlow: (req: IncomingMessage, res: ServerResponse) => void;
}

interface Watched {
  readonly res: ServerResponse;
  /** When the window began, and how much the connection had brought then. */
  since: number;
  bytes: number;
}

/** Whether a window that brought so much was too slow. */
export function isTooSlow(bytes: number, ms: number, minBytesPerSecond: number): boolean {
  return bytes < (minBytesPerSecond * ms) / 1000;
}

/**
 * Watches request bodies on their way in, whoever reads them, and finds those that trickle. Counts what the connection
 * brings, so that it costs nothing per chunk. A body that we keep waiting ourselves is not slow.
 */
export class SlowBodies {
  readonly #options: SlowBodiesOptions;
  readonly #watched = new Map<IncomingMessage, Watched>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SlowBodiesOptions) {
    this.#options = options;
  }

  /** Bodies on their way in. */
  get size(): number {
    return this.#watched.size;
  }

  start(): void {
    const { windowMs, minBytesPerSecond } = this.#options;
    if (minBytesPerSecond === 0) return;
    this.#timer ??= setInterval(() => this.check(), Math.max(10, windowMs / 10));
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#watched.clear();
  }

  /** A request has begun. Those whose body is here already, or that have none, are not watched. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    if (
      this.#timer === null ||
      (req.headers['transfer-encoding'] ?? req.headers['content-length'] ?? '0') === '0'
    )
      return;
    // The rest of a short body mostly comes with the headers: look at it only if it has not.
    setImmediate(() => {
      if (this.#timer === null || req.complete || req.destroyed) return;
      this.#watched.set(req, { res, since: this.#options.clock.monotonic(), bytes: req.socket.bytesRead });
    });
  }

  /** Turns the slow ones away. */
  check(): void {
    const { clock, windowMs, minBytesPerSecond, onSlow } = this.#options;
    const now = clock.monotonic();
    for (const [req, watched] of this.#watched) {
      if (req.complete || req.destroyed) {
        this.#watched.delete(req);
        continue;
      }
      const ms = now - watched.since;
      if (ms < windowMs) continue;
      const bytes = req.socket.bytesRead;
      if (!req.isPaused() && isTooSlow(bytes - watched.bytes, ms, minBytesPerSecond)) {
        this.#watched.delete(req);
        onSlow(req, watched.res);
      }
      watched.since = now;
      watched.bytes = bytes;
    }
  }
}
