import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Addresses at which no broker can be used, each in its own way. */
export interface Unusable {
  /** By what happens there. */
  readonly addresses: Readonly<
    Record<'refuses' | 'hangs' | 'closes' | 'does not resolve' | 'is no broker', string>
  >;
  close(): Promise<void>;
}

/** Starts servers on the loopback address that accept connections and are of no use. */
export async function startUnusable(): Promise<Unusable> {
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const serve = async (accept: (socket: Socket) => void): Promise<string> => {
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      accept(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const addresses = {
    refuses: '127.0.0.1:1',
    hangs: await serve(() => {}),
    closes: await serve((socket) => socket.once('data', () => socket.end())),
    'does not resolve': 'broker.invalid:9092',
    'is no broker': await serve((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
  };
  return {
    addresses,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** A server that answers as a broker does, as far as `probe` asks, and on its first connection only: then it is silent. */
export async function startSilent(): Promise<{
  readonly address: string;
  /** Connections that are open now. */
  readonly open: () => number;
  close(): Promise<void>;
}> {
  const sockets = new Set<Socket>();
  let answers = true;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    if (answers) socket.once('data', (request: Buffer) => socket.write(headOf(request)));
    else socket.resume();
    answers = false;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer as short as one can be. */
function headOf(request: Buffer): Buffer {
  const answer = Buffer.alloc(10);
  answer.writeInt32BE(6, 0);
  request.copy(answer, 4, 8, 12);
  return answer;
}

/** A server that answers as a broker does, as far as `probe` asks. */
export async function startAnswering(): Promise<{ readonly address: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.once('data', (request: Buffer) => {
      const answer = headOf(request);
      socket.write(answer.subarray(0, 5));
      setImmediate(() => socket.write(answer.subarray(5)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
