import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import { isTooSlow } from './slow-bodies.ts';

export interface SlowReadersOptions {
  readonly clock: Clock;
  /** A client must take at least so many bytes per second of what waits for it, averaged over a window. 0: any. */
  readonly minBytesPerSecond: number;
  readonly windowMs: number;
  /** The client is to be cut off. */
  readonly onSlow: (socket: Socket) => void;
}

/** When the window began, and how much the client had taken then. */
interface Window {
  readonly since: number;
  readonly taken: number;
}

/**
 * Watches connections on which something waits to be taken by the client, and finds those that take too little: an
 * answer that nobody reads takes memory. Costs nothing per answer.
 */
export class SlowReaders {
  readonly #options: SlowReadersOptions;
  /** Null: nothing waited when it was looked at last. */
  readonly #connections = new Map<Socket, Window | null>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SlowReadersOptions) {
    this.#options = options;
  }

  start(): void {
    const { windowMs, minBytesPerSecond } = this.#options;
    if (minBytesPerSecond === 0) return;
    this.#timer ??= setInterval(() => this.check(), Math.max(10, windowMs / 10));
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#connections.clear();
  }

  /** A connection was opened. */
  watch(socket: Socket): void {
    this.#connections.set(socket, null);
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** Cuts the slow ones off. */
  check(): void {
    const { clock, windowMs, minBytesPerSecond, onSlow } = this.#options;
    const now = clock.monotonic();
    for (const [socket, window] of this.#connections) {
      const waiting = socket.writableLength;
      if (waiting === 0) {
        if (window) this.#connections.set(socket, null);
        continue;
      }
      const taken = socket.bytesWritten - waiting;
      const ms = window ? now - window.since : 0;
      if (window && ms < windowMs) continue;
      if (window && isTooSlow(taken - window.taken, ms, minBytesPerSecond)) onSlow(socket);
      this.#connections.set(socket, { since: now, taken });
    }
  }
}
