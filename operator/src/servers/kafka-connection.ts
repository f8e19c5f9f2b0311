import { connect, type Socket } from 'node:net';
import { bytes, Fields, frame, REQUESTS, type RequestKind, text } from './kafka-wire.ts';
import { scramLogin } from './scram.ts';

const MECHANISM = 'SCRAM-SHA-512';
/** Responses to what is asked here are of some hundred bytes. */
const MAX_RESPONSE_BYTES = 1 << 20;

/** Who connects. The password is never logged. */
export interface KafkaLogin {
  readonly user: string;
  readonly password: string;
}

/** One connection to one broker, for one request after the other. After an error it is of no use any more. */
export class KafkaConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #correlation = 0;
  #error: Error | null = null;
  /** Called when there is something new to look at. */
  #wake: () => void = () => undefined;

  /** `deadlineMs` holds for everything together: connecting, logging in, requests. */
  constructor(host: string, deadlineMs: number) {
    const colon = host.lastIndexOf(':');
    this.#socket = connect({ host: host.slice(0, colon), port: Number(host.slice(colon + 1)) });
    const timer = setTimeout(() => this.#fail(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    this.#socket
      .setNoDelay(true)
      .on('data', (chunk) => this.#receive(chunk))
      .on('error', (error) => this.#fail(error))
      .on('end', () => this.#fail(new Error('the broker closed the connection')))
      .on('close', () => {
        clearTimeout(timer);
        this.#fail(new Error('the connection was closed'));
      });
  }

  /** Idempotent. */
  close(): void {
    this.#socket.destroy();
  }

  /** Rejects with the broker's reason. */
  async login(login: KafkaLogin): Promise<void> {
    const handshake = await this.request(REQUESTS.saslHandshake, [text(MECHANISM)]);
    const refused = handshake.int16();
    if (refused !== 0) throw new Error(`the broker does not speak ${MECHANISM} (error ${refused})`);
    await scramLogin(login, async (message) => {
      const answer = await this.request(REQUESTS.saslAuthenticate, [bytes(Buffer.from(message))]);
      const code = answer.int16();
      const says = answer.text();
      if (code !== 0) throw new Error(`${says ?? 'not authenticated'} (error ${code})`);
      return answer.bytes().toString();
    });
  }

  /** Resolves with the body of the response. */
  async request(kind: RequestKind, body: readonly Buffer[]): Promise<Fields> {
    this.#correlation += 1;
    this.#socket.write(frame(kind, this.#correlation, body));
    const fields = new Fields(await this.#response());
    if (fields.int32() !== this.#correlation) throw new Error('the broker answers another request');
    if (kind.flexible) fields.tags();
    return fields;
  }

  async #response(): Promise<Buffer> {
    for (;;) {
      const length = this.#received.length < 4 ? 0 : this.#received.readInt32BE();
      if (length < 0 || length > MAX_RESPONSE_BYTES) throw new Error('this is no answer of Kafka');
      if (this.#received.length >= 4 && this.#received.length >= 4 + length) {
        const response = this.#received.subarray(4, 4 + length);
        this.#received = this.#received.subarray(4 + length);
        return response;
      }
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    this.#wake();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#wake();
  }
}
