/**
 * What the exit status of `hashcluster` says. 69, 70, 74 and 75 are EX_UNAVAILABLE, EX_SOFTWARE, EX_IOERR and EX_TEMPFAIL of
 * BSD's sysexits.h; 130 and 143 are 128 + the number of the signal, as shells count.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unavailable: 69,
  internal: 70,
  output: 74,
  stillRunning: 75,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Every exit code with its meaning, for `--help`. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done as asked; `verify`: the digest is right'],
  [EXIT.failed, 'the job failed or was cancelled; `verify`: the digest is wrong'],
  [EXIT.usage, 'the command line is wrong, or a file cannot be read'],
  [EXIT.notFound, 'there is no such job'],
  [EXIT.refused, 'the service refused the request (HTTP 4xx); the reason is printed'],
  [EXIT.unavailable, 'the service cannot be reached or used, or cannot be started here'],
  [EXIT.internal, 'a fault inside the service or this program'],
  [EXIT.output, 'standard output cannot be written, as on a full disk'],
  [EXIT.stillRunning, 'the job has not ended yet'],
  [EXIT.interrupted, 'interrupted by Ctrl-C (SIGINT)'],
  [EXIT.terminated, 'ended by SIGTERM'],
];

/** Something to tell the user, and the exit code that goes with it. `details` are printed below, a line each. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly details: readonly string[];

  constructor(exitCode: ExitCode, message: string, details: readonly string[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.details = details;
  }
}
