import { Option, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { parseDuration } from './parse.ts';
import type { GlobalOptions, Session } from './session.ts';

/** What a command does, given what the user said. */
export type Handler<Options> = (
  session: Session,
  options: Options & GlobalOptions,
  args: readonly string[],
) => Promise<ExitCode>;

/** What a command's file gets to add itself with. */
export interface Registry {
  readonly program: Command;
  /** Where a service keeps its data unless told otherwise. */
  readonly dataDir: string;
  /** Makes a handler into what commander calls. */
  readonly run: <Options>(handler: Handler<Options>) => (...given: unknown[]) => Promise<void>;
}

/** Examples at the end of a command's help, each with a line that says what it does. */
export function examples(rows: readonly (readonly [string, string])[]): string {
  return ['', 'Examples:', ...rows.map(([line, what]) => `  # ${what}\n  $ ${line}`)].join('\n');
}

/** `--max-wait`, the same wherever something is waited for. */
export function maxWaitOption(): Option {
  const text = 'wait at most this long (30s, 5m, 2h); exit code 75 when it is over';
  return new Option('--max-wait <time>', text).argParser(parseDuration);
}
