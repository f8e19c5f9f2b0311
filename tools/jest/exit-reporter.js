import { writeSync } from 'node:fs';

/** What closes by itself has this long, in milliseconds. */
const LINGER_MS = 30_000;

/**
 * Ends a run whose tests are over and that something keeps alive: a socket, a timer or a child process that a test left
 * open. Jest only says so, and waits for ever. Such a run has failed, and what is still open is named.
 */
export default class ExitReporter {
  /** @param {unknown} _config @param {{ lingerMs?: number }} options */
  constructor(_config, { lingerMs = LINGER_MS } = {}) {
    this.lingerMs = lingerMs;
  }

  onRunComplete() {
    const end = () => {
      const open = process.getActiveResourcesInfo().join(', ');
      writeSync(2, `The tests are over, and something they left open keeps the process alive: ${open}\n`);
      process.exit(process.exitCode || 1);
    };
    setTimeout(end, this.lingerMs).unref();
  }
}
