import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../program.ts';
import { sendJson, startFakeService, type Answerer, type FakeService, type Seen } from './fake-service.ts';
import { testHost, type TestHostOptions } from './host.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the service was asked. */
  readonly seen: readonly Seen[];
}

/** Runs command lines in this process against services on loopback; `DATA` in a line stands for a file that says hello. */
export class CommandLine {
  readonly #services: FakeService[] = [];
  #directory = '';

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'hashcluster-cli-'));
    await writeFile(join(this.#directory, 'data'), 'hello');
  }

  /** A service that is stopped with the rest. */
  async serve(answer: Answerer): Promise<FakeService> {
    const service = await startFakeService(answer);
    this.#services.push(service);
    return service;
  }

  /** Runs one command line against a service that answers as told. */
  async run(line: string, answer: Answerer, options: TestHostOptions = {}): Promise<Ran> {
    const { url, seen } = await this.serve(answer);
    const host = testHost({ server: url, ...options });
    const words = line.split(' ').filter(Boolean);
    const argv = words.map((word) => (word === 'DATA' ? join(this.#directory, 'data') : word));
    const code = await runCli(argv, host);
    return { code, out: host.stdout.text, err: host.stderr.text, seen };
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await rm(this.#directory, { recursive: true });
  }
}

/** Answers everything with this. */
export const always =
  (body: unknown, status = 200): Answerer =>
  (_seen, response) =>
    sendJson(response, status, body);
