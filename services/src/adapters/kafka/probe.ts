import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { KafkaConnection } from './options.ts';

/** Of the answer, the length and the correlation id. */
const HEAD_BYTES = 8;
const CORRELATION_ID = 0x48_43;
/** The first byte of a TLS alert, and of a handshake. Source: RFC 8446, 5.1 */
const TLS_RECORDS: ReadonlySet<number> = new Set([0x15, 0x16]);

/**
 * Resolves when this broker answers a question that needs no login: which requests it knows (ApiVersions, version 0).
 * Rejects when it refuses, hangs, closes the connection, is not found or is no broker, after `ms` at the latest.
 * Source: https://kafka.apache.org/43/design/protocol, "Retrieving Supported API versions"
 */
export function probe(
  address: string,
  connection: Pick<KafkaConnection, 'tls' | 'clientId'>,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (reason: string): void => reject(new Error(`${address}: ${reason}`));
  const socket = open(address, connection.tls ?? null);
  const timer = setTimeout(() => fail(`no answer within ${ms} ms`), ms);
  const onAbort = (): void => fail('not needed any more');
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  const heard: Buffer[] = [];
  socket
    .on('data', (chunk: Buffer) => {
      heard.push(chunk);
      const verdict = read(Buffer.concat(heard));
      if (verdict === 'broker') resolve();
      else if (verdict !== 'more') fail(verdict);
    })
    .on('error', ({ message }) => fail(message))
    .on('close', () => fail('closes the connection without an answer'))
    .once(connection.tls ? 'secureConnect' : 'connect', () => socket.write(request(connection.clientId)));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  });
}

function open(address: string, tls: KafkaConnection['tls'] | null): Socket {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  // A server is told by which name it is called; an address is none. Source: RFC 6066, 3
  const name = isIP(host) === 0 ? { servername: host } : {};
  return tls ? connectTls({ ...tls, host, port, ...name }) : connectTcp({ host, port });
}

/** Header, version 1, and an empty body. */
function request(clientId: string): Buffer {
  const name = Buffer.from(clientId);
  const head = Buffer.alloc(14);
  head.writeInt32BE(head.length - 4 + name.length, 0);
  head.writeInt16BE(18, 4); // ApiVersions
  head.writeInt16BE(0, 6);
  head.writeInt32BE(CORRELATION_ID, 8);
  head.writeInt16BE(name.length, 12);
  return Buffer.concat([head, name]);
}

/** Whatever a broker says to it: it answers. */
function read(answer: Buffer): string {
  if (TLS_RECORDS.has(answer[0]!)) return 'speaks TLS';
  if (answer.length < HEAD_BYTES) return 'more';
  return answer.readInt32BE(4) === CORRELATION_ID ? 'broker' : 'is not a Kafka broker';
}
