import { randomBytes } from 'node:crypto';
import { until } from '../lib/client.ts';
import { Caller } from '../audit/caller.ts';
import { StoreReader } from '../audit/store-reader.ts';
import { KafkaServer } from '../servers/kafka-server.ts';
import { MongoSet } from '../servers/mongo-set.ts';
import { Member } from './member.ts';

/** A cluster is there when its endpoints know its workers; that takes no longer than this, in milliseconds. */
const READY_MS = 60_000;
/** Few, because several clusters share a broker. */
const PARTITIONS = '4';

export interface Servers {
  readonly mongo: MongoSet;
  readonly kafka: KafkaServer;
}

/** MongoDB as a replica set of three, and Kafka, with data that outlive their processes. */
export async function startServers(name: string, electionTimeoutMs: number): Promise<Servers> {
  const [mongo, kafka] = await Promise.all([
    MongoSet.start({ name, members: 3, electionTimeoutMs }),
    KafkaServer.start({ name }),
  ]);
  return { mongo, kafka };
}

export async function closeServers({ mongo, kafka }: Servers): Promise<void> {
  await Promise.all([mongo.close(), kafka.close()]);
}

export interface ClusterOptions {
  /** What it is for; a part of the names of its database and topics. */
  readonly name: string;
  readonly seed: string;
  readonly endpoints: number;
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether each process has a wall clock of its own. */
  readonly wallClocks?: boolean;
  /** Whether little of what they send is held on the way when nobody takes it. */
  readonly smallBuffers?: boolean;
  /** The `hashcluster.js` to run. */
  readonly bin: string;
  /** That of one more worker, the last. */
  readonly oddBin?: string;
}

/** Endpoints and workers as processes of their own, each behind a network of its own, on servers that are there. */
export class Cluster {
  readonly servers: Servers;
  readonly endpoints: Member[] = [];
  readonly workers: Member[] = [];
  /** The endpoints as clients see them, in the same order. */
  readonly callers: readonly Caller[];
  readonly store: StoreReader;
  /** Names the database and the topics: no other cluster has it. */
  readonly #name: string;
  readonly #options: ClusterOptions;

  private constructor(servers: Servers, options: ClusterOptions) {
    this.servers = servers;
    this.#options = options;
    this.#name = `hc-${options.name}-${randomBytes(3).toString('hex')}`;
    this.store = new StoreReader(servers.mongo.url, this.#name);
    this.callers = Array.from(
      { length: options.endpoints },
      (_, i) => new Caller(`endpoint-${i + 1}`, () => this.endpoints[i]!.url),
    );
  }

  /** Takes down again what has started when something does not. */
  static async start(servers: Servers, options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(servers, options);
    try {
      for (let i = 1; i <= options.endpoints; i++)
        cluster.endpoints.push(await cluster.#member('endpoint', i));
      for (let i = 1; i <= options.workers; i++) await cluster.addWorker();
      if (options.oddBin !== undefined) await cluster.addWorker(options.oddBin);
      await cluster.ready();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get mongoAddresses(): string[] {
    return this.servers.mongo.ports.map((port) => `127.0.0.1:${port}`);
  }

  get kafkaAddress(): string {
    return this.servers.kafka.broker;
  }

  get members(): readonly Member[] {
    return [...this.endpoints, ...this.workers];
  }

  /** @param bin another `hashcluster.js` than that of the other workers */
  async addWorker(bin?: string): Promise<Member> {
    const worker = await this.#member('worker', this.workers.length + 1, bin);
    this.workers.push(worker);
    return worker;
  }

  /** Starts what is down, and waits until every endpoint knows that every worker lives. */
  async ready(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
    const names = this.workers.map(({ worker }) => worker);
    for (const { name, url } of this.endpoints)
      await until(`${name} knows all workers`, READY_MS, async () => {
        const live = await liveWorkers(url);
        return names.every((worker) => live.includes(worker));
      });
  }

  /** Ends all processes. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()));
    await this.store.close();
  }

  /** Ends all processes and drops the database. */
  async remove(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    // Where the servers are down, it goes with them.
    await this.store.db.dropDatabase().catch(() => undefined);
    await this.close();
  }

  #member(role: 'endpoint' | 'worker', number: number, bin = this.#options.bin): Promise<Member> {
    const { seed, env = {}, wallClocks = false, smallBuffers = false } = this.#options;
    return Member.start({
      ...{ role, seed, bin, smallBuffers, name: `${role}-${number}` },
      servers: [...this.mongoAddresses, this.kafkaAddress],
      hasWallClock: wallClocks,
      env: {
        MONGODB_URI: this.servers.mongo.url,
        MONGODB_DATABASE: this.#name,
        KAFKA_BROKERS: this.kafkaAddress,
        KAFKA_TOPIC_PREFIX: `${this.#name}.`,
        KAFKA_PARTITIONS: PARTITIONS,
        HASH_ENGINES: '1',
        ...env,
      },
    });
  }
}

async function liveWorkers(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/v1/workers`).catch(() => null);
  if (!answer?.ok) return [];
  const { items } = (await answer.json()) as { items: { id: string; state: string }[] };
  return items.filter(({ state }) => state === 'live').map(({ id }) => id);
}
