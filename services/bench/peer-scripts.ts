import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres, startRedis, type PeerServer } from './peer-servers.ts';

const exec = promisify(execFile);
const LIMIT_MS = 900_000;

/** Where a peer's own script says what it measured. */
export interface Peer {
  readonly name: 'Bullmq' | 'Graphile' | 'PgBoss';
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts what these peers need, installs their scripts in a folder that is gone afterwards, and gives those that can be
 * run here; the others are told of as skipped. `folder` has bullmq.mjs, graphile.mjs and pgboss.mjs, with a package.json.
 */
export async function withPeers<T>(
  folder: string,
  names: readonly Peer['name'][],
  use: (peers: readonly Peer[]) => Promise<T>,
): Promise<T> {
  const source = resolve(folder);
  if (!existsSync(join(source, 'bullmq.mjs'))) throw new Error(`${source} has no bullmq.mjs; see --help`);
  const dir = await mkdtemp(join(tmpdir(), 'hashcluster-peers-'));
  const servers: (PeerServer | null)[] = [];
  try {
    const scripts = join(dir, 'scripts');
    await cp(source, scripts, { recursive: true });
    // Their package.json names exact versions. A lock file may name platforms that a registry does not have.
    await exec('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: scripts,
    });
    const redis = names.includes('Bullmq') ? await startRedis() : null;
    const postgres = names.some((name) => name !== 'Bullmq') ? await startPostgres() : null;
    servers.push(redis, postgres);
    return await use(names.flatMap((name) => peerOf(name, scripts, name === 'Bullmq' ? redis : postgres)));
  } finally {
    await Promise.all(servers.map(async (server) => server?.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

function peerOf(name: Peer['name'], scripts: string, server: PeerServer | null): Peer[] {
  if (!server) {
    console.log(`skipped: ${name} (its server is not installed)`);
    return [];
  }
  const script = join(scripts, `${name.toLowerCase()}.mjs`);
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  const env = name === 'Bullmq' ? { REDIS_PORT: `${server.port}` } : { PG_URL: url };
  return [{ name, script, env }];
}

/** A line of a peer's script: what was measured, and the middle value. */
export interface Measured {
  readonly what: string;
  readonly median: number;
}

/** Runs one mode of a peer's script, shows its lines, and returns what they say. */
export async function measurePeer(peer: Peer, mode: string): Promise<Measured[]> {
  const env = { ...process.env, ...peer.env };
  const { stdout } = await exec(process.execPath, [peer.script, mode], {
    ...{ env, timeout: LIMIT_MS, maxBuffer: 1 << 24 },
  });
  const lines = stdout.split('\n').filter((line) => line.includes(' | '));
  console.log(lines.join('\n'));
  return lines.map((line) => {
    const [, what = '', median] = line.split(' | ');
    return { what, median: Number(median) };
  });
}

/** The best rate among the lines that have the word. */
export function bestOf(measured: readonly Measured[], word: string): number {
  return Math.max(...measured.filter(({ what }) => what.includes(word)).map(({ median }) => median));
}

/** The p50 of its first way to be asked. */
export async function latencyOf(peer: Peer): Promise<number> {
  const measured = await measurePeer(peer, 'C');
  return measured.find(({ what }) => what.includes('latency'))!.median;
}
