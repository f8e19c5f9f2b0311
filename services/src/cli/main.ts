import { CliError, EXIT } from './exit-codes.ts';
import type { Host } from './host.ts';
import { runCli, tellFailure } from './program.ts';
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

/** A reader that has seen enough (`| head`) closes the pipe: there is nobody left to work for. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? EXIT.ok);
  });
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
process.on('uncaughtException', (error) => process.exit(tellFailure(error, host, true)));
endWithReader();
process.exitCode = await runCli(process.argv.slice(2), host);
// Standard input may still be open, at a terminal or in a pipe that nobody closes.
process.stdin.destroy();
// A connection that does not close keeps nobody waiting: all that was to be done is done, and written.
setTimeout(() => process.exit(), LINGER_MS).unref();
