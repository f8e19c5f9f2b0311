import { MongoClient } from 'mongodb';
import { until } from '../lib/client.ts';
import { Container, newSetName, type ContainerSpec } from './container.ts';
import { freePorts } from './ports.ts';

const IMAGE = 'mongo:6.0';
const DATA = '/data/db';
/** The user `mongodb` of the image. */
const USER = '999:999';
const START_MS = 120_000;
/** A member that does not answer within this time, in milliseconds, does not answer. */
const PROBE_MS = 1_000;
/** The names of `state` in replSetGetStatus that mean: takes part. */
const HEALTHY: readonly unknown[] = ['PRIMARY', 'SECONDARY'];

export interface MongoSetOptions {
  /** What it is for; a part of the containers' names. */
  readonly name: string;
  readonly members?: 1 | 3;
  /** For tests of what a store does, not of what it keeps: data in memory, small caches, and TTL looked after every second. */
  readonly fast?: boolean;
  /**
   * After how long without a primary the others elect one, in milliseconds. MongoDB's own default of 10 s is for networks
   * that lose packets; on one machine a primary that was silent for 2 s is gone, and a hundred kills take minutes less.
   */
  readonly electionTimeoutMs?: number;
  /** Who removes it when this process does not: see {@link ContainerSpec.owner}. */
  readonly owner?: string;
}

/** A replica set of our own, named rs0, on 127.0.0.1. Its members are numbered from 0. */
export class MongoSet {
  /** What a client connects to. */
  readonly url: string;
  readonly ports: readonly number[];
  readonly #members: readonly Container[];

  private constructor(options: MongoSetOptions, ports: readonly number[]) {
    const set = newSetName(options.name);
    this.ports = ports;
    this.url = `mongodb://${ports.map((port) => `127.0.0.1:${port}`).join()}/?replicaSet=rs0`;
    this.#members = ports.map((port, i) => new Container(specOf(options, { set, port, number: i + 1 })));
  }

  /** Starts it and waits for its primary. Removes it again and rejects when that fails. */
  static async start(options: MongoSetOptions): Promise<MongoSet> {
    const set = new MongoSet(options, await freePorts(options.members ?? 1));
    try {
      await Promise.all(set.#members.map((member) => member.run()));
      await Promise.all(set.ports.map((_, i) => set.#answers(i)));
      await set.#initiate(options.electionTimeoutMs ?? 2_000);
      await set.ready();
      return set;
    } catch (error) {
      await set.close();
      throw error;
    }
  }

  get containers(): readonly string[] {
    return this.#members.map(({ name }) => name);
  }

  /** The member that accepts writes now; null while there is none. Of two that think so, the one elected last. */
  async primary(): Promise<number | null> {
    const answers = await Promise.all(this.ports.map((port) => hello(port)));
    const elected = answers.map((answer) =>
      answer?.['isWritablePrimary'] === true ? String(answer['electionId']) : '',
    );
    const last = elected.reduce((best, id) => (id > best ? id : best), '');
    return last === '' ? null : elected.indexOf(last);
  }

  /** Waits until there is a primary and every member takes part. */
  async ready(): Promise<void> {
    await until('a MongoDB replica set with all members', START_MS, async () => {
      const primary = await this.primary();
      if (primary === null) return false;
      const status = await command(this.ports[primary]!, { replSetGetStatus: 1 });
      const members = (status?.['members'] ?? []) as readonly { readonly stateStr: unknown }[];
      return (
        members.length === this.ports.length && members.every(({ stateStr }) => HEALTHY.includes(stateStr))
      );
    });
  }

  /** SIGKILL. */
  kill(member: number): Promise<void> {
    return this.#member(member).kill();
  }

  /** SIGTERM: a primary steps down first. */
  stop(member: number): Promise<void> {
    return this.#member(member).stop();
  }

  /** Starts a member again that was killed or stopped, and waits until it answers; `ready` waits until it takes part. */
  async start(member: number): Promise<void> {
    await this.#member(member).start();
    await this.#answers(member);
  }

  /** SIGSTOP, in effect: its connections stay open and nothing answers. */
  pause(member: number): Promise<void> {
    return this.#member(member).pause();
  }

  unpause(member: number): Promise<void> {
    return this.#member(member).unpause();
  }

  /** Deletes a member's data and starts it again: it copies everything from the others. */
  async wipe(member: number): Promise<void> {
    await this.#member(member).remove();
    await this.#member(member).run();
    await this.#answers(member);
  }

  /** Removes all of it, data included. */
  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.remove()));
  }

  #member(index: number): Container {
    const member = this.#members[index];
    if (!member) throw new Error(`There are ${this.#members.length} members, no number ${index}`);
    return member;
  }

  async #answers(member: number): Promise<void> {
    const port = this.ports[member]!;
    await this.#member(member).answers(START_MS, async () => (await hello(port)) !== null);
  }

  async #initiate(electionTimeoutMs: number): Promise<void> {
    const members = this.ports.map((port, _id) => ({ _id, host: `127.0.0.1:${port}` }));
    // Heartbeats as often as elections ask for: a set that only just started knows its members sooner, too.
    const settings = { electionTimeoutMillis: electionTimeoutMs, heartbeatIntervalMillis: 500 };
    await withMember(this.ports[0]!, (client) =>
      client.db('admin').command({ replSetInitiate: { _id: 'rs0', members, settings } }),
    );
    // Nobody stands for election before the timeout has passed, unless asked to.
    await until('the first election', START_MS, async () => {
      await command(this.ports[0]!, { replSetStepUp: 1 });
      return (await this.primary()) !== null;
    });
  }
}

/** Asks a mongod on 127.0.0.1 whether it answers, and as what; null when it does not. */
export function hello(port: number): Promise<Readonly<Record<string, unknown>> | null> {
  return command(port, { hello: 1 });
}

function command(
  port: number,
  body: Record<string, unknown>,
): Promise<Readonly<Record<string, unknown>> | null> {
  return withMember(port, (client) => client.db('admin').command(body)).catch(() => null);
}

async function withMember<T>(port: number, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: PROBE_MS,
    connectTimeoutMS: PROBE_MS,
    socketTimeoutMS: 10 * PROBE_MS,
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

interface Place {
  readonly set: string;
  readonly port: number;
  readonly number: number;
}

function specOf(options: MongoSetOptions, { set, port, number }: Place): ContainerSpec {
  const fast = options.fast ?? false;
  return {
    name: `hashcluster-test-${set}-${number}`,
    set,
    owner: options.owner ?? String(process.pid),
    image: IMAGE,
    user: USER,
    entrypoint: 'mongod',
    command: [
      ...['--replSet', 'rs0', '--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', DATA],
      ...['--wiredTigerCacheSizeGB', fast ? '0.25' : '0.5', '--oplogSize', '990', '--quiet'],
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      // On SIGTERM a member waits, 15 s by default, for clients to see that it is going.
      ...['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=1000'],
      ...(fast ? ['--setParameter', 'ttlMonitorSleepSecs=1'] : []),
    ],
    data: { path: DATA, inMemory: fast },
  };
}
