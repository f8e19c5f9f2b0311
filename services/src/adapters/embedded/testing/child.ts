import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process of a test: another user of a file. Ended, by its own id, when the test is. */
export class Child {
  readonly #process: ChildProcess;
  #text = '';
  readonly ended: Promise<void>;

  /** Runs a module of this folder; with `fileKib`, no file of the process may grow beyond that many KiB. */
  constructor(module: string, args: readonly string[], { fileKib }: { readonly fileKib?: number } = {}) {
    const path = new URL(`./${module}`, import.meta.url).pathname;
    // The shell counts in blocks of 512 bytes.
    const limit = fileKib === undefined ? '' : `ulimit -f ${fileKib * 2};`;
    const command = ['-c', `${limit} exec "$0" "$@"`, process.execPath, path, ...args];
    this.#process = spawn('/bin/sh', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#text += text));
    this.ended = once(this.#process, 'close').then(() => undefined);
  }

  /** What it has said so far, line by line; the last only when it is whole. */
  get lines(): string[] {
    return this.#text.split('\n').slice(0, -1);
  }

  /** Until it has said so much. */
  async untilLines(count: number): Promise<void> {
    while (this.lines.length < count) {
      await Promise.race([once(this.#process.stdout!, 'data'), this.ended.then(() => fail(this.#text))]);
    }
  }

  /** `kill -9`: it gets no chance to do anything. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}

function fail(text: string): never {
  throw new Error(`the child ended too early; it said: ${text.slice(-500)}`);
}
