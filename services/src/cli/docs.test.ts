import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { launchOptions } from './launch-options.ts';
import { runCli } from './program.ts';
import { testHost } from './testing/host.ts';
import { embeddedSettings, endpointRole, workerRole, type Sources } from '../roles/settings.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = ['README.md', 'docs/cli.md', 'docs/http-api.md', 'docs/configuration.md', 'docs/operations.md'];
const TEXT = PAGES.map((page) => readFileSync(join(ROOT, page), 'utf8')).join('\n');

/** The cells of the table whose head begins with `head`, row by row. */
function tableRows(head: string): string[][] {
  const lines = TEXT.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    return cells.map((cell) => cell.trim());
  });
}

const firstColumn = (head: string): string[] => tableRows(head).map(([first = '']) => first);

/** Read by the command line, by a library, or told by it. */
const ELSEWHERE = new Set(['HASHCLUSTER_SERVER', 'HASHCLUSTER_DATA', 'OTEL_*']);

/** The names of variables that are asked for, but for those of OpenTelemetry. */
function variablesOf(read: (sources: Sources) => unknown): string[] {
  const asked = new Set<string>();
  const env = new Proxy<Record<string, string>>(
    { MONGODB_URI: 'mongodb://db', KAFKA_BROKERS: 'k:1', HASH_BACKEND: 'node' },
    {
      get: (values, name) => {
        if (!String(name).startsWith('OTEL_') && name !== 'NO_COLOR') asked.add(String(name));
        return values[String(name)];
      },
    },
  );
  read({ env, flags: {}, version: '1', logFormat: 'json' });
  return [...asked];
}

/** As `start` reads them. */
function embedded({ env, version, logFormat }: Sources): unknown {
  const flags = launchOptions({ data: '/' }, env, { logLevel: 'info', logFormat });
  return embeddedSettings({ ...flags, dataDir: '/', env, version });
}

/** Words after `hashcluster` in the shell blocks that are meant to be run. */
function commandsRun(): string[] {
  const blocks = [...TEXT.matchAll(/^```sh(?: docker)?\n(.*?)^```/gms)].map(([, text = '']) => text);
  return blocks.flatMap((text) => [...text.matchAll(/hashcluster (\w+)/g)].map(([, word = '']) => word));
}

async function commandsOfHelp(): Promise<string[]> {
  const host = testHost();
  await runCli(['--help'], host);
  const part = /^Commands:\n([^]*?)\n\n/m.exec(host.stdout.text)![1]!;
  return [...part.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

describe('the documentation', () => {
  test('lists every command and no other', async () => {
    const listed = firstColumn('Command').flatMap((cell) =>
      [...cell.matchAll(/`(\w+)[^`]*`/g)].map(([, name]) => name),
    );
    expect(listed.toSorted()).toEqual((await commandsOfHelp()).toSorted());
  });

  test('lists every exit code and no other', () => {
    const listed = firstColumn('Exit code').flatMap((cell) => cell.split(', ').map(Number));
    expect(listed).toEqual(EXIT_MEANINGS.map(([code]) => code));
  });

  test('lists every setting that a service reads, and for whom, and no other', () => {
    const listed = new Map(
      tableRows('Variable').flatMap(([names = '', roles = '']) => {
        const parts = roles.split(';');
        return [...names.matchAll(/`([A-Z_*]+)`/g)].map(([, name = ''], i) => [
          name,
          parts[i % parts.length]!,
        ]);
      }),
    );
    const readBy = { s: variablesOf(embedded), e: variablesOf(endpointRole), w: variablesOf(workerRole) };
    for (const [role, names] of Object.entries(readBy)) {
      const told = [...listed].filter(([, roles]) => roles.split(' ').includes(role)).map(([name]) => name);
      expect([role, ...told.filter((name) => !ELSEWHERE.has(name)).toSorted()]).toEqual([
        role,
        ...names.toSorted(),
      ]);
    }
  });

  test('runs only commands that exist', async () => {
    const known = await commandsOfHelp();
    expect(commandsRun().length).toBeGreaterThan(10);
    for (const command of commandsRun()) expect(known).toContain(command);
  });
});
