import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps a server at so many connections, and always has room for one more: the one that has been idle for longest makes
 * way, or the oldest when none is idle. So whoever holds connections without using them cannot keep probes out.
 */
export function keepRoomForNew(server: Server, maxConnections: number): void {
  const open = new Set<Socket>();
  const busy = new Set<Socket>();
  const makeRoom = (): void => {
    const victim = [...open].find((socket) => !busy.has(socket)) ?? [...open][0]!;
    open.delete(victim);
    victim.destroy();
  };
  server.on('connection', (socket: Socket) => {
    if (open.size >= maxConnections) makeRoom();
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      busy.delete(socket);
    });
  });
  server.on('request', ({ socket }, response) => {
    busy.add(socket);
    response.once('close', () => {
      busy.delete(socket);
      // To the end: it is now the one that has been idle for the shortest time.
      if (open.delete(socket)) open.add(socket);
    });
  });
}
