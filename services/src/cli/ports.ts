import { createServer } from 'node:net';

/** Whether somebody else listens on a port. False when it cannot be told: starting there will say what is wrong. */
export async function isTaken(host: string, port: number): Promise<boolean> {
  if (port === 0) return false;
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(false)));
  });
}
