import {
  connect,
  createServer,
  type AddressInfo,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net';
import type { Random } from './random.ts';

/** `out`: from the client to the server; `back`: the other way. */
export type Direction = 'out' | 'back';

/** The longest queue of bytes per connection and direction that wait for their delay, in chunks. */
const MAX_QUEUED = 1_000;

export interface TcpProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  readonly random: Random;
}

/** What happens to bytes now. */
interface Weather {
  /** Bytes of these directions stand still, as when packets are lost and sent again: after `heal` they go on. */
  dropped: ReadonlySet<Direction>;
  /** Nothing is taken from the senders either, so that their buffers fill up. */
  stalled: boolean;
  /** Set to be stalled as soon as a client has sent more bytes than this without an answer; null: it is not. */
  largeWrite: { readonly bytes: number; readonly begun: () => void } | null;
  /** A connection whose client sends this is held from there on; null: none is. */
  heldText: Buffer | null;
  /** Bytes are late by up to so many milliseconds. */
  delayMs: number;
  /** New connections are reset. */
  refusing: boolean;
  /** A connection on which nothing has come for more milliseconds than this is forgotten; null: none is. */
  forgetAfterMs: number | null;
}

/**
 * A proxy on the loopback address before one server, for one client process. Passes everything on until it is told to
 * do harm. A connection never loses bytes in the middle, as TCP does not: it stands still, is late, is cut, or forgotten.
 */
export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #weather: Weather = {
    ...{ dropped: new Set(), stalled: false, delayMs: 0, refusing: false },
    ...{ largeWrite: null, heldText: null, forgetAfterMs: null },
  };

  constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port, and says which. */
  async start(): Promise<number> {
    await this.#listen({ port: 0, host: '127.0.0.1' });
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Listens at a Unix-domain socket instead. That holds about 200 KB which nobody reads, where a TCP connection over the
   * loopback address holds several megabytes: a large write is stopped in the middle, as on a real network.
   */
  startAt(path: string): Promise<void> {
    return this.#listen({ path });
  }

  async #listen(where: ListenOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(where, resolve);
    });
  }

  /** Cuts everything and listens no more. Idempotent. */
  async stop(): Promise<void> {
    this.cut();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Connections that are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** Nothing gets through in these directions; connections stay open, new ones can be made but say nothing. */
  drop(...directions: readonly Direction[]): void {
    this.#weather.dropped = new Set(directions);
    for (const connection of this.#connections) connection.pump();
  }

  /**
   * As when all packets are dropped: no connection ends, nothing gets through, and a sender's socket soon takes no more
   * bytes, because none of them is acknowledged.
   */
  stall(): void {
    this.#weather.largeWrite = null;
    this.#weather.stalled = true;
    this.drop('out', 'back');
  }

  /** Stalls in the middle of the next large write: when a client has sent so many bytes without an answer. Resolves then. */
  stallInWrite(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      const begun = (): void => {
        this.stall();
        resolve();
      };
      this.#weather.largeWrite = { bytes, begun };
    });
  }

  /**
   * Holds back requests that contain these bytes, and what their clients send after them on the same connections, until
   * `release`. Other connections go on. The bytes have to arrive in one piece.
   */
  hold(text: Buffer): void {
    this.#weather.heldText = text;
  }

  /** Requests that were held back go on. */
  release(): void {
    this.#weather.heldText = null;
    for (const connection of this.#connections) connection.pump();
  }

  /** Everything is late by a random time of up to so many milliseconds, in order. */
  delay(upToMs: number): void {
    this.#weather.delayMs = upToMs;
  }

  /**
   * Forgets a connection that was idle for longer than this when the next byte comes, as load balancers and firewalls do:
   * it is gone for good, and neither side is told. It stays forgotten after `heal`.
   */
  forgetIdle(ms: number): void {
    this.#weather.forgetAfterMs = ms;
  }

  /** Connections that are open on one side at least, and forgotten. */
  get forgotten(): number {
    return [...this.#connections].filter(({ forgotten }) => forgotten).length;
  }

  /** Resets all connections. */
  cut(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** Resets connections as they come. */
  refuse(): void {
    this.#weather.refusing = true;
  }

  /** All is well again: what stood still goes on. */
  heal(): void {
    this.#weather.dropped = new Set();
    this.#weather.stalled = false;
    this.#weather.largeWrite = null;
    this.#weather.heldText = null;
    this.#weather.delayMs = 0;
    this.#weather.refusing = false;
    this.#weather.forgetAfterMs = null;
    for (const connection of this.#connections) connection.pump();
  }

  #accept(client: Socket): void {
    if (this.#weather.refusing) {
      reset(client.on('error', () => undefined));
      return;
    }
    const server = connect({ ...this.#options.target, allowHalfOpen: true, noDelay: true });
    const connection = new Connection({
      client,
      server,
      weather: this.#weather,
      random: this.#options.random,
    });
    this.#connections.add(connection);
    connection.onEnd(() => this.#connections.delete(connection));
  }
}

interface ConnectionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly weather: Weather;
  readonly random: Random;
}

/** One connection: two streams that are stopped and slowed on their own. */
class Connection {
  readonly #sockets: readonly Socket[];
  readonly #streams: readonly OneWay[];
  readonly #weather: Weather;
  #heardAt = performance.now();
  #forgotten = false;
  /** Bytes from the client since the last answer. */
  #unanswered = 0;

  constructor({ client, server, weather, random }: ConnectionOptions) {
    this.#sockets = [client, server];
    this.#weather = weather;
    const carries = (): boolean => this.#carries();
    const sent = (bytes: number): void => this.#sent(bytes);
    const answered = (): void => void (this.#unanswered = 0);
    this.#streams = [
      new OneWay({ from: client, to: server, direction: 'out', weather, random, carries, passed: sent }),
      new OneWay({ from: server, to: client, direction: 'back', weather, random, carries, passed: answered }),
    ];
    // A side that breaks breaks the other, which does not hear of it when the connection is forgotten.
    for (const socket of this.#sockets) {
      socket.on('error', () => {
        if (this.#forgotten) socket.destroy();
        else this.cut();
      });
    }
  }

  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Something has come: whether it goes on. */
  #carries(): boolean {
    const now = performance.now();
    const { forgetAfterMs } = this.#weather;
    if (forgetAfterMs !== null && now - this.#heardAt > forgetAfterMs) this.#forgotten = true;
    this.#heardAt = now;
    return !this.#forgotten;
  }

  #sent(bytes: number): void {
    this.#unanswered += bytes;
    const { largeWrite } = this.#weather;
    if (largeWrite && this.#unanswered > largeWrite.bytes) largeWrite.begun();
  }

  onEnd(ended: () => void): void {
    let open = this.#sockets.length;
    for (const socket of this.#sockets) socket.once('close', () => --open === 0 && ended());
  }

  pump(): void {
    for (const stream of this.#streams) stream.pump();
  }

  cut(): void {
    // One that is being shut down cannot be reset: libuv refuses, and node then waits for it for ever when it ends.
    for (const socket of this.#sockets) {
      if (socket.writableEnded) socket.destroy();
      else if (!socket.destroyed) reset(socket);
    }
    for (const stream of this.#streams) stream.stop();
  }
}

interface OneWayOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly direction: Direction;
  readonly weather: Weather;
  readonly random: Random;
  /** Something has come: whether it goes on. */
  readonly carries: () => boolean;
  /** Told of what has come and goes on, in bytes. */
  readonly passed: (bytes: number) => void;
}

/** Bytes of one direction, in order. `null` stands for the end of the stream. */
class OneWay {
  readonly #options: OneWayOptions;
  readonly #queue: { readonly chunk: Buffer | null; readonly due: number }[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** The text that this stream is held for. */
  #heldFor: Buffer | null = null;

  constructor(options: OneWayOptions) {
    this.#options = options;
    const { from, to } = options;
    from.on('data', (chunk: Buffer) => this.#push(chunk));
    from.once('end', () => this.#push(null));
    from.once('close', () => !from.readableEnded && options.carries() && to.destroy());
    to.on('drain', () => this.pump());
  }

  /** Passes on what may go now. */
  pump(): void {
    const { from, to, direction, weather } = this.#options;
    while (this.#queue.length > 0 && !weather.dropped.has(direction) && !to.writableNeedDrain) {
      if (this.#isHeld()) break;
      const { chunk, due } = this.#queue[0]!;
      const wait = due - performance.now();
      if (wait > 0) return this.#later(wait);
      this.#queue.shift();
      if (chunk === null) to.end();
      else to.write(chunk);
    }
    if (weather.stalled) from.pause();
    else if (this.#queue.length < MAX_QUEUED) from.resume();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue.length = 0;
  }

  #push(chunk: Buffer | null): void {
    const { from, direction, weather, random, carries, passed } = this.#options;
    if (!carries()) return;
    passed(chunk?.length ?? 0);
    const { heldText } = weather;
    if (direction === 'out' && heldText && chunk?.includes(heldText)) this.#heldFor = heldText;
    const before = this.#queue.at(-1)?.due ?? 0;
    const due = weather.delayMs > 0 ? performance.now() + random.next() * weather.delayMs : 0;
    this.#queue.push({ chunk, due: Math.max(before, due) });
    if (this.#queue.length >= MAX_QUEUED) from.pause();
    this.pump();
  }

  #isHeld(): boolean {
    return this.#heldFor !== null && this.#heldFor === this.#options.weather.heldText;
  }

  #later(waitMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.pump();
    }, waitMs);
  }
}

/** A Unix-domain socket has no reset; its other side sees an end. */
function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
