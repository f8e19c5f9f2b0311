import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMAND_MS = 120_000;

/** Runs one command of Docker; resolves with what it prints. */
export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { timeout: COMMAND_MS })).stdout.trim();
}

/** Why containers of this image cannot be run here; null where they can. */
export async function containerTrouble(image: string): Promise<string | null> {
  try {
    await docker('image', 'inspect', '--format', '{{.Id}}', image);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A port of the loopback address that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

export interface Container {
  /** `host:port`. */
  readonly host: string;
  readonly remove: () => Promise<void>;
}

/** A mongod as the operator runs it: of a set that has no configuration yet, and closed to all but the keyfile. */
export async function startMongod(image: string, keyfile: string): Promise<Container> {
  const name = `hashcluster-operator-mongod-${randomBytes(4).toString('hex')}`;
  const port = await freePort();
  const start = 'umask 077; echo "$KEYFILE" > /tmp/keyfile; exec mongod "$@"';
  await docker(
    ...['run', '--detach', '--rm', '--name', name, '--network', 'host', '--user', '999:999'],
    ...['--tmpfs', '/data/db:uid=999', '--env', `KEYFILE=${keyfile}`, '--entrypoint', 'bash', image],
    ...['-ec', start, 'mongod', '--replSet', 'rs0', '--keyFile', '/tmp/keyfile', '--port', String(port)],
    ...['--bind_ip', '127.0.0.1', '--wiredTigerCacheSizeGB', '0.25', '--quiet'],
  );
  return { host: `127.0.0.1:${port}`, remove: async () => void (await docker('rm', '--force', name)) };
}
