import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface PostLoad {
  /** Where to: `http://host:port/path`. */
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** A JSON text of ASCII characters, another one each time. */
  readonly nextBody: () => string;
}

/**
 * JSON by POST: every connection sends its next request when it has the answer to the last. Costs little per request, so
 * that on a small machine it is the server that is measured; autocannon takes as much of the processor as express does.
 * Answers must have a Content-Length. Rejects on an answer that is not 2xx, and when a connection breaks.
 * @returns answers per second
 */
export async function postLoad({ url, connections, seconds, nextBody }: PostLoad): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url);
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: `;
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  const start = performance.now();
  const end = start + seconds * 1_000;
  const next = (): string | null => {
    if (performance.now() >= end) return null;
    const body = nextBody();
    return `${head}${body.length}\r\n\r\n${body}`;
  };
  try {
    const counts = await Promise.all(sockets.map((socket) => exchange(socket, next)));
    return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1_000);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** One request after the other until there is no next one. The number of answers. */
function exchange(socket: Socket, next: () => string | null): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    let text = '';
    const send = (): void => {
      const request = next();
      if (request === null) resolve(answers);
      else socket.write(request, 'latin1');
    };
    socket.setEncoding('latin1');
    socket.on('data', (more: string) => {
      text += more;
      const length = answerLength(text);
      if (length === null || text.length < length) return;
      if (!text.startsWith('HTTP/1.1 2') || text.length > length)
        return reject(new Error(`An answer was not as expected: ${text.slice(0, 500)}`));
      answers++;
      text = '';
      send();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('A connection was closed')));
    send();
  });
}

/** Characters of an answer with its head; null while the head is not complete. */
function answerLength(text: string): number | null {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const length = /\r\nContent-Length: *(\d+)/i.exec(text.slice(0, headEnd));
  if (!length) throw new Error(`An answer has no length: ${text.slice(0, 500)}`);
  return headEnd + 4 + Number(length[1]);
}
