import { writeFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { CliError, EXIT, EXIT_MEANINGS, type ExitCode } from './exit-codes.ts';
import type { Host } from './host.ts';
import { Output, type OutputFormat } from './output.ts';
import { parseDuration, parseServer, withoutCredentials } from './parse.ts';
import type { Registry } from './registry.ts';
import { Session, type GlobalOptions } from './session.ts';
import { similarCommands } from './similar-commands.ts';
import { addBench } from './commands/bench.ts';
import { addCancel } from './commands/cancel.ts';
import { addCluster } from './commands/cluster.ts';
import { addDemo } from './commands/demo.ts';
import { addEndpoint } from './commands/endpoint.ts';
import { addList } from './commands/list.ts';
import { addResult } from './commands/result.ts';
import { addStart } from './commands/start.ts';
import { addStatus } from './commands/status.ts';
import { addSubmit } from './commands/submit.ts';
import { addVerify } from './commands/verify.ts';
import { addWatch } from './commands/watch.ts';
import { addWorker } from './commands/worker.ts';
import { addWorkers } from './commands/workers.ts';

/** How long requests are tried again while the service is away, unless told otherwise. */
const DEFAULT_TIMEOUT = '10s';

function exitCodeText(): string {
  return [
    '',
    'Exit codes:',
    ...EXIT_MEANINGS.map(([code, what]) => `  ${String(code).padStart(3)}  ${what}`),
  ].join('\n');
}

function addGlobalOptions(program: Command, host: Host): void {
  const { server } = host.settings;
  const address = new Option('--server <url>', 'the service to talk to (env: HASHCLUSTER_SERVER)').argParser(
    parseServer,
  );
  const timeout = new Option(
    '--timeout <time>',
    'how long to try while the service cannot be reached or sheds load; 0 asks once',
  ).argParser(parseDuration);
  program
    // What is wrong with the environment is said by the command that needs the address.
    .addOption(address.default(null, withoutCredentials(server)))
    .addOption(timeout.default(parseDuration(DEFAULT_TIMEOUT), DEFAULT_TIMEOUT))
    .addOption(
      new Option('--output <format>', 'how results are printed').choices(['text', 'json']).default('text'),
    )
    .option('-q, --quiet', 'no progress and no remarks: results and errors only')
    .option('--no-color', 'no colours (env: NO_COLOR)');
}

/**
 * How results, and so errors, are wanted by these arguments. Also what is wrong before, or instead of, `--output` is told
 * so, and commander tells it while it still reads them.
 */
export function formatOf(argv: readonly string[]): OutputFormat {
  const at = argv.lastIndexOf('--output');
  return argv.includes('--output=json') || (at >= 0 && argv[at + 1] === 'json') ? 'json' : 'text';
}

/** What commander says of a wrong command line, as this program says it. `names`: of the commands. */
function usageError(text: string, names: readonly string[], format: OutputFormat): string {
  const unknown = /^error: unknown command '(.*?)'/s.exec(text)?.[1];
  const similar = unknown === undefined ? [] : similarCommands(unknown, names);
  const suggestion = similar.length > 0 ? `\n(Did you mean ${similar.join(' or ')}?)` : '';
  const said =
    unknown === undefined ? text.replace(/^error: /, '') : `unknown command '${unknown}'${suggestion}\n`;
  if (format === 'text') return `hashcluster: ${said}`;
  const [message = '', ...details] = said.trim().split('\n');
  return `${JSON.stringify({ error: { message, details, exitCode: EXIT.usage } })}\n`;
}

function createProgram(host: Host, format: OutputFormat, addCommands: (program: Command) => void): Command {
  const names = (): string[] => program.commands.map((command) => command.name());
  const program = new Command('hashcluster')
    .description(
      'Iterated SHA-512 at the speed of the processor: start a service, submit jobs, watch and check them.',
    )
    .version(host.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError(format === 'text' && '(see --help)')
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      outputError: (text, write) => write(usageError(text, names(), format)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText('after', exitCodeText());
  addGlobalOptions(program, host);
  addCommands(program);
  return program;
}

/** `argv` without the program's name: runs one command and says what the exit code is. Never rejects. */
export async function runCli(argv: readonly string[], host: Host): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const run: Registry['run'] =
    (handler) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const options: GlobalOptions = withServer(command.optsWithGlobals(), host);
      const session = new Session(host, options);
      code = await handler(
        session,
        options as Parameters<typeof handler>[1],
        command.processedArgs as string[],
      );
    };
  const { dataDir } = host.settings;
  const add = [addStart, addSubmit, addStatus, addWatch, addResult, addList, addCancel, addVerify];
  const format = formatOf(argv);
  const program = createProgram(host, format, (parent) => {
    for (const addCommand of [...add, addWorkers, addCluster, addBench, addDemo, addEndpoint, addWorker])
      addCommand({ program: parent, run, dataDir });
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return tellFailure(error, host, { colour: program.opts<GlobalOptions>().color, format });
  }
}

/** With the address that the environment names where no flag does. Throws `CliError` when it names none. */
function withServer(
  options: Omit<GlobalOptions, 'server'> & { readonly server: URL | null },
  { settings }: Host,
): GlobalOptions {
  if (options.server) return { ...options, server: options.server };
  try {
    return { ...options, server: parseServer(settings.server) };
  } catch (error) {
    const why = error instanceof CliError ? error.message : (error as Error).message;
    throw new CliError(
      EXIT.usage,
      `HASHCLUSTER_SERVER is no address to use: ${withoutCredentials(settings.server)}`,
      [why],
    );
  }
}

/** How what went wrong is shown. */
export interface FailureStyle {
  readonly colour: boolean;
  readonly format: OutputFormat;
}

/** Tells the user what went wrong, and gives the exit code that says so. */
export function tellFailure(error: unknown, host: Host, { colour, format }: FailureStyle): ExitCode {
  // Commander has printed already what it has to say: help, the version, or what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { stdout, stderr, settings } = host;
  const output = new Output({
    stdout,
    stderr,
    format,
    quiet: false,
    colour: settings.colour && colour,
  });
  const told = error instanceof CliError ? error : internal(error);
  output.error(told);
  if (settings.terminationLog !== null) writeTerminationLog(settings.terminationLog, told);
  return told.exitCode;
}

/** Kubernetes keeps no more. Source: `core/v1 ContainerStateTerminated.message`. */
const MAX_TERMINATION_BYTES = 4_096;

/** Says in the status of the pod why it has ended. */
function writeTerminationLog(path: string, { message, details }: CliError): void {
  const text = Buffer.from([message, ...details].join('\n')).subarray(0, MAX_TERMINATION_BYTES);
  try {
    writeFileSync(path, text);
  } catch {
    // Only a copy: the error itself is on standard error.
  }
}

function internal(error: unknown): CliError {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const where = stack
    .split('\n')
    .slice(1, 6)
    .map((line) => line.trim());
  return new CliError(EXIT.internal, `A fault in this program: ${message}`, where);
}
