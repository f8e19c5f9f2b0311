import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Of a request that carries messages. Source: https://kafka.apache.org/43/design/protocol, "Api Keys" */
const PRODUCE = 0;
/** Where the key of a request stands, after its length. */
const KEY_AT = 4;

interface Connection {
  readonly sockets: readonly [Socket, Socket];
  /** Whether messages have gone over it. */
  produces: boolean;
  forgotten: boolean;
}

/** A proxy that can forget connections, as load balancers and firewalls do: nothing gets through, nobody is told. */
export class ForgetfulProxy {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #target = 0;

  constructor() {
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a free port, and says which. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Where connections go. */
  toward(port: number): void {
    this.#target = port;
  }

  /** Forgets the connections over which messages were published. Returns how many. */
  forgetProducers(): number {
    const producers = [...this.#connections].filter(({ produces, forgotten }) => produces && !forgotten);
    for (const connection of producers) connection.forgotten = true;
    return producers.length;
  }

  async stop(): Promise<void> {
    for (const { sockets } of this.#connections) for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const connection: Connection = { sockets: [client, server], produces: false, forgotten: false };
    this.#connections.add(connection);
    client.on('data', (chunk: Buffer) => {
      if (chunk.length > KEY_AT + 2 && chunk.readInt16BE(KEY_AT) === PRODUCE) connection.produces = true;
      if (!connection.forgotten) server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => !connection.forgotten && client.write(chunk));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => {});
      from.once('close', () => {
        if (!connection.forgotten) to.destroy();
        if (client.destroyed && server.destroyed) this.#connections.delete(connection);
      });
    }
  }
}
