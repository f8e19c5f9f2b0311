import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { runCli } from './program.ts';
import { testHost } from './testing/host.ts';

const README = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8');

/** The first column of the table whose head begins with `head`. */
function firstColumn(head: string): string[] {
  const lines = README.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((line) => line.split(/(?<!\\)\|/)[1]!.trim());
}

/** Words after `hashcluster` in the shell blocks that are meant to be run. */
function commandsRun(): string[] {
  const blocks = [...README.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text);
  return blocks.flatMap((text) => [...text.matchAll(/hashcluster (\w+)/g)].map(([, word = '']) => word));
}

async function commandsOfHelp(): Promise<string[]> {
  const host = testHost();
  await runCli(['--help'], host);
  const part = /^Commands:\n([^]*?)\n\n/m.exec(host.stdout.text)![1]!;
  return [...part.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

describe('the README', () => {
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

  test('runs only commands that exist', async () => {
    const known = await commandsOfHelp();
    expect(commandsRun().length).toBeGreaterThan(10);
    for (const command of commandsRun()) expect(known).toContain(command);
  });
});
