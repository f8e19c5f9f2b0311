import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { until } from '../lib/client.ts';
import { docker } from '../servers/docker.ts';
import { freePorts } from '../servers/ports.ts';

const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url));
const NODE = '/nodejs/bin/node';
/** As pods of ours run. */
const RESTRICTED = [
  ...['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'],
  ...['--security-opt', 'no-new-privileges'],
];
/** A busy machine takes its time. */
const READY_MS = 60_000;

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
}

/** An image of ours, looked at from outside and from inside. */
export class Image {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async inspect(): Promise<Inspected> {
    const [image] = JSON.parse(await docker(['image', 'inspect', this.#name])) as Inspected[];
    return image!;
  }

  /** What inside.ts answers when it is asked there. Rejects when it fails. */
  async ask(question: 'packages' | 'surplus' | 'load' | 'kernels'): Promise<unknown> {
    const mount = ['--volume', `${INSIDE}:/app/inside.ts:ro`, '--entrypoint', NODE];
    return JSON.parse(await this.#run([...mount, this.#name, '/app/inside.ts', question]));
  }

  /** Its bill of materials. */
  async bill(): Promise<{ readonly components: readonly { readonly purl: string }[] }> {
    const print = "process.stdout.write(require('fs').readFileSync('/app/sbom.cdx.json'))";
    const text = await this.#run(['--entrypoint', NODE, this.#name, '--eval', print]);
    return JSON.parse(text) as Awaited<ReturnType<Image['bill']>>;
  }

  /** What its own program prints. Rejects when that fails. */
  main(...args: string[]): Promise<string> {
    return this.#run([this.#name, ...args]);
  }

  /** What another program of it prints. Rejects when that fails, or is not there. */
  run(program: string, ...args: string[]): Promise<string> {
    return this.#run(['--entrypoint', program, this.#name, ...args]);
  }

  /** From `docker run` of the whole service in one process to the answer that it is ready, in milliseconds. */
  async timeToReady(): Promise<number> {
    const [port] = await freePorts(1);
    const container = `hashcluster-start-${randomBytes(4).toString('hex')}`;
    const began = performance.now();
    try {
      const data = ['--tmpfs', '/data:uid=65532,mode=700', '--publish', `127.0.0.1:${port!}:9090`];
      await docker(['run', '--detach', '--name', container, ...RESTRICTED, ...data, this.#name, 'start']);
      await until('the service is ready', READY_MS, () => isReady(port!));
      return Math.round(performance.now() - began);
    } finally {
      await docker(['rm', '--force', '--volumes', container]);
    }
  }

  #run(args: readonly string[]): Promise<string> {
    return docker(['run', '--rm', ...RESTRICTED, ...args]);
  }
}

async function isReady(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
  await answer?.body?.cancel();
  return answer?.status === 200;
}
