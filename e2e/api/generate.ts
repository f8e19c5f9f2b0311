import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = join(ROOT, 'e2e/api/clients');
const BIN = join(ROOT, 'node_modules/.bin');
const TOOLS = join(ROOT, '.cache/client-tools');
/** Of one command; a busy machine compiles slowly. */
const COMMAND_MS = 240_000;

/** A language that clients are generated for. */
export interface Language {
  readonly name: string;
  /** What is missing without its tools; null where they come with the packages. */
  readonly needs: string | null;
  readonly isAvailable: boolean;
  /**
   * Generates a client from `openapi.json` in the folder, checks its types and those of a program that uses it.
   * Resolves to the command that runs the program. Rejects with what the tools say.
   */
  readonly generate: (folder: string) => Promise<readonly string[]>;
}

interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end. Resolves to its standard output; rejects with all of its output when it fails. */
export async function run(command: readonly string[], { cwd, env = {} }: Place): Promise<string> {
  const [file = '', ...args] = command;
  const options = { cwd, env: { ...process.env, ...env }, timeout: COMMAND_MS };
  const done = promisify(execFile)(file, args, options).catch((error: unknown) => {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${command.join(' ')}\n${stdout}${stderr}`, { cause: error });
  });
  return (await done).stdout;
}

/** openapi-typescript and openapi-fetch. */
async function generateTypeScript(cwd: string): Promise<readonly string[]> {
  await cp(join(SOURCES, 'client.ts'), join(cwd, 'client.ts'));
  await run([process.execPath, join(BIN, 'openapi-typescript'), 'openapi.json', '-o', 'schema.d.ts'], {
    cwd,
  });
  const flags = ['--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--allowImportingTsExtensions'];
  const target = ['--target', 'es2024', '--module', 'nodenext', '--types', 'node'];
  await run([process.execPath, join(BIN, 'tsc'), ...flags, ...target, 'client.ts'], { cwd });
  return [process.execPath, 'client.ts'];
}

/** openapi-python-client and mypy. */
async function generatePython(cwd: string): Promise<readonly string[]> {
  const bin = join(TOOLS, 'python/bin');
  await cp(join(SOURCES, 'client.py'), join(cwd, 'client.py'));
  const output = ['--output-path', 'hashcluster_client', '--meta', 'none'];
  await run([join(bin, 'openapi-python-client'), 'generate', '--path', 'openapi.json', ...output], { cwd });
  const cache = ['--cache-dir', join(TOOLS, 'mypy')];
  await run([join(bin, 'mypy'), '--strict', ...cache, '--python-executable', join(bin, 'python'), '.'], {
    cwd,
  });
  return [join(bin, 'python'), 'client.py'];
}

/** oapi-codegen. Nothing is downloaded: its tools came with what it compiles. */
async function generateGo(cwd: string): Promise<readonly string[]> {
  const env = { CGO_ENABLED: '0', GOPROXY: 'off', GOFLAGS: '-mod=readonly' };
  await cp(join(SOURCES, 'go'), cwd, { recursive: true });
  await mkdir(join(cwd, 'hashcluster'));
  await run([join(TOOLS, 'go/bin/oapi-codegen'), '-config', 'oapi-codegen.yaml', 'openapi.json'], {
    cwd,
    env,
  });
  await run(['go', 'build', '-o', 'client', '.'], { cwd, env });
  return [join(cwd, 'client')];
}

const hasTools = (name: string): boolean => existsSync(join(TOOLS, name, 'complete'));

/** The languages, and whether their tools are here; see get-tools. */
export function languages(): readonly Language[] {
  return [
    { name: 'TypeScript', needs: null, isAvailable: true, generate: generateTypeScript },
    {
      name: 'Python',
      needs: 'openapi-python-client',
      isAvailable: hasTools('python'),
      generate: generatePython,
    },
    { name: 'Go', needs: 'oapi-codegen', isAvailable: hasTools('go'), generate: generateGo },
  ];
}
