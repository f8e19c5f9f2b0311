import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (32768 and up on Linux) and below Kubernetes' node ports:
 * nothing takes such a port while its server is down.
 */
const FIRST = 20_000;
const END = 30_000;
const ATTEMPTS = 100;

/** As many ports of the loopback address as asked for, that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS * count && found.size < count; attempt++) {
    const port = randomInt(FIRST, END);
    if (await isFree(port)) found.add(port);
  }
  if (found.size < count) throw new Error(`No ${count} free ports between ${FIRST} and ${END}`);
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
