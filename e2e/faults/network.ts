import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Random } from './random.ts';
import { TcpProxy } from './tcp-proxy.ts';

const REDIRECT = fileURLToPath(new URL('redirect.ts', import.meta.url));

/**
 * The network of one process under test: a proxy between it and each server. Made before the process, which is then
 * started with `env()`; a process that is started anew with the same environment has the same network.
 */
export class Network {
  readonly #seed: string;
  readonly #smallBuffers: boolean;
  readonly #links = new Map<string, { readonly proxy: TcpProxy; readonly at: number | string }>();
  /** Of Unix-domain sockets. */
  #dir: string | null = null;

  /** @param options `smallBuffers`: the proxies are at Unix-domain sockets, see `TcpProxy.startAt` */
  constructor(seed: string, { smallBuffers = false }: { readonly smallBuffers?: boolean } = {}) {
    this.#seed = seed;
    this.#smallBuffers = smallBuffers;
  }

  /** Puts a proxy before each of these servers (`host:port`). */
  async link(...addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      const { hostname, port } = new URL(`tcp://${address}`);
      const random = new Random(`${this.#seed}/${address}`);
      const proxy = new TcpProxy({ target: { host: hostname, port: Number(port) }, random });
      this.#links.set(address, { proxy, at: await this.#start(proxy) });
    }
  }

  async #start(proxy: TcpProxy): Promise<number | string> {
    if (!this.#smallBuffers) return proxy.start();
    this.#dir ??= await mkdtemp(join(tmpdir(), 'hashcluster-net-'));
    const path = join(this.#dir, `${this.#links.size}.sock`);
    await proxy.startAt(path);
    return path;
  }

  /** What the process has to be started with. */
  env(): Record<string, string> {
    const table = [...this.#links].map(([address, { at }]) => [address, at]);
    return {
      NODE_OPTIONS: `--import=${pathToFileURL(REDIRECT).href}`,
      HASHCLUSTER_REDIRECT: JSON.stringify(Object.fromEntries(table)),
    };
  }

  /** The proxies before these servers; before all of them, when none is named. Throws for one that is not linked. */
  to(...addresses: readonly string[]): TcpProxy[] {
    const wanted = addresses.length > 0 ? addresses : [...this.#links.keys()];
    return wanted.map((address) => {
      const link = this.#links.get(address);
      if (!link) throw new Error(`There is no proxy before ${address}`);
      return link.proxy;
    });
  }

  heal(): void {
    for (const { proxy } of this.#links.values()) proxy.heal();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ proxy }) => proxy.stop()));
    if (this.#dir !== null) await rm(this.#dir, { recursive: true, force: true });
  }
}
