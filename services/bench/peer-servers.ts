import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../../e2e/lib/client.ts';

const exec = promisify(execFile);
const READY_MS = 30_000;

/** A server that a peer needs, on a free port of the loopback address, with its data in a folder of its own. */
export interface PeerServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Redis with an append-only file synced every second, as BullMQ's guide advises. Null when it is not installed. */
export async function startRedis(): Promise<PeerServer | null> {
  const binary = find('redis-server');
  if (!binary) return null;
  const dir = await mkdtemp(join(tmpdir(), 'bench-redis-'));
  const port = await freePort();
  const flags = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  return run(
    spawn(binary, [...flags, '--appendonly', 'yes', '--appendfsync', 'everysec'], { stdio: 'ignore' }),
    port,
    dir,
  );
}

/** PostgreSQL as it comes: fsync and synchronous_commit are on. Null when it is not installed. */
export async function startPostgres(): Promise<PeerServer | null> {
  const [initdb, postgres] = [find('initdb'), find('postgres')];
  if (!initdb || !postgres) return null;
  const dir = await mkdtemp(join(tmpdir(), 'bench-postgres-'));
  const data = join(dir, 'data');
  await mkdir(data, { mode: 0o700 });
  const user = await otherUser();
  if (user) for (const folder of [dir, data]) await chown(folder, user.uid, user.gid);
  await exec(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust'], { ...user });
  const port = await freePort();
  const flags = ['-D', data, '-p', `${port}`, '-k', data, '-c', 'listen_addresses=127.0.0.1'];
  return run(spawn(postgres, flags, { stdio: 'ignore', ...user }), port, dir);
}

/** PostgreSQL refuses to run as root: its own user then. */
async function otherUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await exec('id', [flag, 'postgres'])).stdout)),
  );
  return { uid: uid!, gid: gid! };
}

async function run(child: ChildProcess, port: number, dir: string): Promise<PeerServer> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(dir, { recursive: true, force: true });
  };
  await until(`a server on port ${port}`, READY_MS, () => answers(port));
  return { port, stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (up: boolean): void => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A program on the PATH, or where Debian puts PostgreSQL's. */
function find(name: string): string | null {
  const home = '/usr/lib/postgresql';
  const versions = existsSync(home) ? readdirSync(home).map((version) => join(home, version, 'bin')) : [];
  const folders = [...versions, ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
}
