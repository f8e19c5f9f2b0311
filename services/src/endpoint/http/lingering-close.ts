import type { Socket } from 'node:net';

/** What a client still sends is read over for this long, and up to this much. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;
const LOOK_MS = 100;

/**
 * Closes a connection on which the client may still be sending: ends our side, reads over what comes until the client
 * has ended its own, and closes for good after a bounded time. Closing with unread data at once would reset the
 * connection, and the client's system would throw the answer away. Source: RFC 9112 §9.6. Does nothing when our side has
 * ended already.
 */
export function lingeringClose(socket: Socket): void {
  if (socket.writableEnded || socket.destroyed) return;
  const before = socket.bytesRead;
  const close = (): void => void socket.destroy();
  const deadline = setTimeout(close, LINGER_MS);
  const look = setInterval(() => {
    if (socket.bytesRead - before > LINGER_BYTES) close();
  }, LOOK_MS);
  socket.once('end', close);
  socket.once('close', () => {
    clearTimeout(deadline);
    clearInterval(look);
  });
  socket.end();
}
