import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startScript } from './kafka-start.ts';

const PASSWORDS = { CONTROLLER: 'secret-c', BROKER: 'secret-b', ENDPOINT: 'secret-e', WORKER: 'secret-w' };
/** Notes its arguments, and the file that one of them names. */
const RECORD = `#!/bin/bash
printf '%s\\n' "$0" "$@" >> "$ARGUMENTS"
for argument in "$@"; do
  if [[ $argument == @* ]]; then stat --format %a "\${argument#@}" > "$FILE.mode"; cat "\${argument#@}" > "$FILE"; fi
done
`;

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Runs the script over programs that only note how they were called. */
function start({ formatted }: { readonly formatted: boolean }) {
  const root = mkdtempSync(join(tmpdir(), 'kafka-start-'));
  folders.push(root);
  for (const folder of ['bin', 'run', 'etc', 'logs']) mkdirSync(join(root, folder));
  for (const program of ['kafka-storage.sh', 'kafka-server-start.sh']) {
    writeFileSync(join(root, 'bin', program), RECORD);
    chmodSync(join(root, 'bin', program), 0o755);
  }
  writeFileSync(join(root, 'etc/server.properties'), 'a=b\n');
  if (formatted) writeFileSync(join(root, 'logs/meta.properties'), '');
  const script = startScript('cluster.local')
    .replaceAll('/var/lib/kafka/data/logs', join(root, 'logs'))
    .replaceAll('/etc/hashcluster', join(root, 'etc'))
    .replaceAll('/run/kafka', join(root, 'run'))
    .replaceAll('/opt/kafka', root);
  const passwords = Object.entries(PASSWORDS).map(([user, password]) => [`${user}_PASSWORD`, password]);
  const env = {
    ...{ PATH: '/usr/bin:/bin', POD_NAME: 'hc-kafka-2', SERVICE: 'hc-kafka', POD_NAMESPACE: 'ns' },
    ...{ CLUSTER_ID: 'id', ARGUMENTS: join(root, 'arguments'), FILE: join(root, 'file') },
    ...(Object.fromEntries(passwords) as Record<string, string>),
  };
  execFileSync('bash', ['--norc', '-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const read = (name: string): string => readFileSync(join(root, name), 'utf8');
  return { read, left: readdirSync(join(root, 'run')) };
}

describe('the start script of a broker', () => {
  test('passes no password as an argument of a process', () => {
    const { read } = start({ formatted: false });
    expect(read('arguments')).toMatch(/kafka-storage\.sh\nformat\n/);
    expect(read('arguments')).not.toContain('secret');
  });

  test('formats with both users of each role, from a file that only it can read, and removes it', () => {
    const { read, left } = start({ formatted: false });
    const users = [...read('file').matchAll(/^--add-scram\nSCRAM-SHA-512=\[name=(\S+),password=(\S+)\]$/gm)];
    expect(users.map(([, user, password]) => [user, password])).toEqual([
      ['broker', 'secret-b'],
      ['endpoint', 'secret-e'],
      ['endpoint-2', 'secret-e'],
      ['worker', 'secret-w'],
      ['worker-2', 'secret-w'],
    ]);
    expect([read('file.mode').trim(), left]).toEqual(['600', ['server.properties']]);
  });

  test('formats nothing that is formatted', () => {
    const { read } = start({ formatted: true });
    expect(read('arguments')).not.toContain('kafka-storage.sh');
    expect(read('arguments')).toContain('kafka-server-start.sh');
  });
});
