import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { CONTEXT, type Namespace } from './kube.ts';

/** What a HashCluster said of itself from a moment on, in milliseconds since 1970. */
export interface Said {
  readonly at: number;
  readonly isReady: boolean;
  /** Reasons of all its conditions. */
  readonly reasons: readonly string[];
}

const TEMPLATE = '{range .status.conditions[*]}{.type}={.status}={.reason} {end}{"\\n"}';
/** A watch that ended begins again so much later, in milliseconds. */
const AGAIN_MS = 500;

/** A line of {@link TEMPLATE}. */
export function saidIn(line: string, at: number): Said {
  const conditions = line
    .trim()
    .split(' ')
    .map((each) => each.split('='));
  return {
    at,
    isReady: conditions.some(([type, status]) => type === 'Ready' && status === 'True'),
    reasons: conditions.map(([, , reason = '']) => reason),
  };
}

/** Takes down every status of the one HashCluster in a namespace, as it is written. */
export class StatusWatch {
  readonly #namespace: Namespace;
  readonly #said: Said[] = [];
  #child: ChildProcess | null = null;
  #running: Promise<void> | null = null;
  readonly #ending = new AbortController();

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  get said(): readonly Said[] {
    return this.#said;
  }

  /** Reasons that were said from a moment on. */
  reasonsSince(at: number): Set<string> {
    return new Set(this.#said.filter((said) => said.at >= at).flatMap(({ reasons }) => reasons));
  }

  /** Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#child?.kill('SIGKILL');
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await this.#watchOnce();
      await pause(AGAIN_MS, undefined, { signal: this.#ending.signal }).catch(() => undefined);
    }
  }

  #watchOnce(): Promise<void> {
    return new Promise((resolve) => {
      const what = ['get', 'hashclusters', '--watch', '--output', `jsonpath=${TEMPLATE}`];
      const args = ['--context', CONTEXT, '--namespace', this.#namespace.name, ...what];
      const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      this.#child = child;
      let rest = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#said.push(saidIn(line, Date.now()));
      });
      child.once('error', () => resolve());
      child.once('close', () => resolve());
    });
  }
}
