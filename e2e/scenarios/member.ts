import type { Running } from '../lib/child.ts';
import { startRole, type Role } from '../lib/service.ts';
import { Network } from '../faults/network.ts';
import { WallClock } from '../faults/wall-clock.ts';

const MAX_LOG = 1_000;

export interface MemberOptions {
  readonly role: Role;
  /** Unique in the cluster; part of a worker's id. */
  readonly name: string;
  /** Addresses of servers that it can be cut off from. */
  readonly servers: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Whether it has a wall clock of its own. */
  readonly hasWallClock?: boolean;
  /** Whether little of what it sends is held on the way when nobody takes it. */
  readonly smallBuffers?: boolean;
  readonly seed: string;
  /** The `hashcluster.js` to run. */
  readonly bin: string;
}

/** One process of a cluster, that dies and starts again under the same name behind the same network. */
export class Member {
  readonly name: string;
  readonly network: Network;
  /** Null: that of the machine. */
  readonly wallClock: WallClock | null;
  readonly #options: MemberOptions;
  #running: Running | null = null;
  #starts = 0;
  #logBefore: readonly string[] = [];

  private constructor(options: MemberOptions, wallClock: WallClock | null) {
    this.wallClock = wallClock;
    this.#options = options;
    this.name = options.name;
    const { seed, smallBuffers = false } = options;
    this.network = new Network(`${seed}/${options.name}`, { smallBuffers });
  }

  static async start(options: MemberOptions): Promise<Member> {
    const member = new Member(options, options.hasWallClock ? await WallClock.make() : null);
    await member.network.link(...options.servers);
    await member.start();
    return member;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /** The address of its API. A member that is down has one where nobody listens. */
  get url(): string {
    return this.#running?.url ?? 'http://127.0.0.1:1';
  }

  /** The id of a worker; another one after each start. */
  get worker(): string {
    return `${this.name}-${this.#starts}`;
  }

  /** What it has logged since it first started, the last lines. */
  get log(): readonly string[] {
    return [...this.#logBefore, ...(this.#running?.log ?? [])].slice(-MAX_LOG);
  }

  /** Resolves when it is ready. Idempotent. */
  async start(): Promise<void> {
    if (this.#running) return;
    const { role, env, bin } = this.#options;
    this.#starts++;
    const clock = this.wallClock?.env() ?? {};
    const own = { ...env, ...clock, ...this.network.env(), ENDPOINT_ID: this.worker, WORKER_ID: this.worker };
    this.#running = await startRole(role, { env: own, bin });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#logBefore = this.log;
    this.#running = null;
    await running?.kill();
  }

  /** SIGSTOP. */
  pause(): void {
    this.#running?.pause();
  }

  /** SIGCONT. */
  resume(): void {
    this.#running?.resume();
  }

  /** What its readiness probe says. */
  async isReady(): Promise<boolean> {
    if (!this.#running) return false;
    const signal = AbortSignal.timeout(5_000);
    return (await fetch(`${this.#running.adminUrl}/readyz`, { signal }).catch(() => null))?.ok ?? false;
  }

  /** The sum of a counter or gauge over its labels, by its name at the metrics page; 0 while it is not there. */
  async metric(name: string): Promise<number> {
    if (!this.#running) return 0;
    const answer = await fetch(`${this.#running.adminUrl}/metrics`, { signal: AbortSignal.timeout(5_000) });
    const line = new RegExp(`^${name}(?:\\{[^}]*\\})? ([^ ]+)`);
    const values = (await answer.text()).split('\n').map((text) => Number(line.exec(text)?.[1] ?? 0));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Kills it and takes its network down. Idempotent. */
  async close(): Promise<void> {
    await this.kill();
    await this.network.stop();
    await this.wallClock?.remove();
  }
}
