import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { KafkaClientName } from '../options.ts';
import type { Chat } from './chatter.ts';

const CHATTER = fileURLToPath(new URL('chatter.ts', import.meta.url));

/** A process that talks and listens over Kafka, seen from outside. */
export class ChatProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  #last: Chat | null = null;
  #stderr = '';
  #waiters: (() => void)[] = [];

  constructor(client: KafkaClientName, broker: string, prefix: string) {
    this.#child = spawn(process.execPath, [CHATTER, client, broker, prefix], { stdio: 'pipe' });
    this.#exit = once(this.#child, 'exit');
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.#last = JSON.parse(line) as Chat;
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  get last(): Chat {
    if (!this.#last) throw new Error(`Nothing was said. ${this.#stderr}`);
    return this.#last;
  }

  /** Until what it says is so. The test's own time limit is the bound. */
  async until(is: (chat: Chat) => boolean): Promise<Chat> {
    const gone = this.#exit.then(() => {
      throw new Error(`The process has ended. ${this.#stderr}`);
    });
    gone.catch(() => {});
    while (this.#last === null || !is(this.#last)) {
      await Promise.race([new Promise<void>((resolve) => this.#waiters.push(resolve)), gone]);
    }
    return this.#last;
  }

  /** Until what is published from now on is heard by both, and nothing is wrong. */
  async untilWell(): Promise<void> {
    const from = this.#last?.attempted ?? 0;
    await this.until(({ grouped, all, trouble }) => grouped > from && all > from && trouble === null);
  }

  /** Asks it to stop. Resolves with its exit code and what it has written to stderr. */
  async stop(): Promise<{ readonly code: unknown; readonly stderr: string }> {
    this.#child.stdin!.end();
    const [code] = await this.#exit;
    return { code, stderr: this.#stderr };
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}
