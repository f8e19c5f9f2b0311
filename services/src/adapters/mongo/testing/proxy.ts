import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * `open`: as if it were not there; `cut`: nobody gets through; `mute`: what is sent arrives, no answer comes back;
 * `deaf`: what is sent arrives, and the connection ends instead of the answer; `drop`: nothing is taken either way, so
 * that a sender's buffers fill up, and no connection ends.
 */
type Way = 'open' | 'cut' | 'mute' | 'deaf' | 'drop';

/** A way to a server that a test can cut. */
export interface Proxy {
  readonly port: number;
  set(state: Way): void;
  close(): Promise<void>;
}

export async function proxyTo(port: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: Way = 'open';
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      if (state === 'open') near.write(bytes);
      else if (state === 'deaf') end();
    });
    if (state === 'cut') end();
    if (state === 'drop') for (const socket of pair) socket.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      state = next;
      if (next === 'cut') cut();
      for (const socket of [...pairs].flat()) {
        if (next === 'drop') socket.pause();
        else socket.resume();
      }
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
