import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TestCluster } from './hash-cluster.ts';
import { CONTEXT } from './kube.ts';
import { secretValue } from './members.ts';
import { run } from './run.ts';

const RUNBOOK = fileURLToPath(new URL('../../../docs/runbook/', import.meta.url));

export const SECTIONS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'] as const;
export type Section = (typeof SECTIONS)[number];

/** What stands for a name in the commands, such as `TIME`, and what is meant here. */
export type Names = Readonly<Record<string, string>>;

/** Names of all pages: the reasons that they explain. */
export async function pagesOfRunbook(): Promise<string[]> {
  const files = await readdir(RUNBOOK);
  return files.filter((file) => file.endsWith('.md')).map((file) => file.slice(0, -3));
}

export function readPage(reason: string): Promise<string> {
  return readFile(`${RUNBOOK}${reason}.md`, 'utf8');
}

/** Commands of a section, of its blocks and in its text, in order. Throws where there is no such section. */
export function commandsOf(page: string, section: Section): string[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`));
  if (text === undefined) throw new Error(`The page has no section ${section}`);
  const blocks = [...text.matchAll(/^```console\n(.*?)^```/gms)].map(([, block = '']) => block);
  const shown = blocks.flatMap((block) =>
    [...block.matchAll(/^\$ ((?:.*\\\n)*.*)$/gm)].map(([, command = '']) => command),
  );
  const inText = text.replaceAll(/^```.*?^```/gms, '').matchAll(/`(kubectl [^`]*)`/g);
  return [...shown, ...[...inText].map(([, command = '']) => command)];
}

/**
 * A command with what is meant here in place of names; a head of a column that is called the same, `NAME:`, stays.
 * Throws where nobody gave what a name stands for.
 */
export function substituted(command: string, names: Names): string {
  return command.replaceAll(/\b(NAME|TIME|ID|ORDINAL)\b(?!:)/g, (name) => {
    const value = names[name];
    if (value === undefined) throw new Error(`Nobody says what ${name} is in: ${command}`);
    return value;
  });
}

export interface Follow {
  /** What other names than that of the HashCluster stand for. */
  readonly names?: Names;
  /** Of the section only the commands with this text. */
  readonly only?: string;
}

/** Runs the commands of a section as a user who works in the namespace. Rejects when one fails, or a diagnosis prints nothing. */
export async function follow(
  cluster: TestCluster,
  [reason, section]: readonly [reason: string, section: Section],
  { names = {}, only = '' }: Follow = {},
): Promise<void> {
  const commands = commandsOf(await readPage(reason), section).filter((command) => command.includes(only));
  if (commands.length === 0) throw new Error(`${reason}: ${section} has no command with ${only}`);
  const env = { PASSWORD: await secretValue(cluster, 'admin') };
  const own = `kubectl() { command kubectl --context ${CONTEXT} --namespace ${cluster.namespace.name} "$@"; }`;
  const hasShell = await hasMongosh(cluster);
  for (const command of commands) {
    if (command.includes('mongosh') && !hasShell) continue;
    const text = substituted(command, { NAME: cluster.name, ...names });
    const output = await run('bash', ['-euo', 'pipefail', '-c', `${own}\n${text}`], { env });
    if (section === 'Diagnosis' && output.trim() === '')
      throw new Error(`${reason}: nothing came of ${text}`);
  }
}

/** Images that stand in for MongoDB's where none can be pulled have no shell of it. */
function hasMongosh({ name, namespace }: TestCluster): Promise<boolean> {
  const args = ['exec', `${name}-mongodb-0`, '--', 'bash', '-c', 'command -v mongosh'];
  return namespace.kubectl(args).then(
    () => true,
    () => false,
  );
}
