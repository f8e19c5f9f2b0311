import { COMMANDS } from './commands/index.ts';
import { transactRepairing } from './repair.ts';
import type { Ledger } from './ledger.ts';
import type { Command, Reply } from './protocol.ts';

/** Items in one transaction: enough to spread one flush over many, few enough not to be long. */
export const GROUP_ITEMS = 20_000;

/**
 * Group commit: all commands in one transaction, so that they share one flush to disk. When that fails, each is tried
 * once alone, so that a command that cannot be done fails by itself. Every answer is given after the commit.
 */
export function runGroup(ledger: Ledger, commands: readonly Command[]): Reply[] {
  try {
    return transactRepairing(ledger, commands[0]?.times.now ?? 0, () =>
      commands.map((command) => execute(ledger, command)),
    );
  } catch {
    return commands.map((command) => runAlone(ledger, command));
  }
}

function runAlone(ledger: Ledger, command: Command): Reply {
  try {
    return transactRepairing(ledger, command.times.now, () => execute(ledger, command));
  } catch (error) {
    return { call: command.call, failure: error instanceof Error ? error.message : String(error) };
  }
}

function execute(ledger: Ledger, { call, operation, cells, times }: Command): Reply {
  ledger.times = times;
  return { call, cells: COMMANDS[operation](ledger, cells, times.now) };
}
