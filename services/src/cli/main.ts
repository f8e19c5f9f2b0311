import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import type { Host } from './host.ts';
import { formatOf, runCli, tellFailure } from './program.ts';
import { readCliSettings } from './settings.ts';
import { readVersion } from './version.ts';

/** What still closes by itself has this long, in milliseconds. */
const LINGER_MS = 2_000;

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = (code: typeof EXIT.interrupted | typeof EXIT.terminated) => () => {
    if (controller.signal.aborted) process.exit(code);
    controller.abort(new CliError(code, code === EXIT.interrupted ? 'Interrupted.' : 'Ended by SIGTERM.'));
  };
  process.on('SIGINT', stop(EXIT.interrupted));
  process.on('SIGTERM', stop(EXIT.terminated));
  return controller.signal;
}

/**
 * A reader that has seen enough (`| head`) closes the pipe: there is nobody left to work for. Results that cannot be
 * written for any other reason, such as a full disk, are an error.
 */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
    process.exit(reportFailure(new CliError(EXIT.output, `Cannot write the result: ${error.message}.`)));
  });
  // Nobody can be told any more that errors cannot be written.
  process.stderr.on('error', () => undefined);
}

function reportFailure(error: unknown): ExitCode {
  return tellFailure(error, host, { colour: true, format: formatOf(process.argv.slice(2)) });
}

const host: Host = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  settings: readCliSettings(),
  version: readVersion(),
  signal: interruption(),
  // Only when asked for: it takes the whole service with it.
  startEmbedded: async (...given) => (await import('../roles/embedded.ts')).startEmbedded(...given),
  startEndpoint: async (...given) => (await import('../roles/endpoint.ts')).startEndpoint(...given),
  startWorker: async (...given) => (await import('../roles/worker.ts')).startWorker(...given),
};

// Nobody knows what state the process is in: it ends. What a service has acknowledged is on disk.
process.on('uncaughtException', (error) => process.exit(reportFailure(error)));
endWithReader();
process.exitCode = await runCli(process.argv.slice(2), host);
// Standard input may still be open, at a terminal or in a pipe that nobody closes.
process.stdin.destroy();
// A connection that does not close keeps nobody waiting: all that was to be done is done, and written.
setTimeout(() => process.exit(), LINGER_MS).unref();
