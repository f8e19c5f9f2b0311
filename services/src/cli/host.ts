import type { Readable } from 'node:stream';
import type { TextStream } from './output.ts';
import type { CliSettings } from './settings.ts';
import type { RunningEndpoint, RunningWorker, StartEmbedded } from '../roles/running.ts';
import type { EndpointRole, WorkerRole } from '../roles/settings.ts';

/** The process around the command line, as values, so that tests can be one. */
export interface Host {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly settings: CliSettings;
  readonly version: string;
  /** Aborted by SIGINT and SIGTERM; the reason is a `CliError` with the exit code. */
  readonly signal: AbortSignal;
  readonly startEmbedded: StartEmbedded;
  readonly startEndpoint: (settings: EndpointRole, signal: AbortSignal) => Promise<RunningEndpoint>;
  readonly startWorker: (settings: WorkerRole, signal: AbortSignal) => Promise<RunningWorker>;
}
