import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT, containersHere, removeContainers } from './container.ts';
import { dockerTrouble } from './docker.ts';
import { KafkaServer, kafkaAnswers } from './kafka-server.ts';
import { withLock } from './lock.ts';
import { hello, MongoSet } from './mongo-set.ts';

/** Who waits here waits for another one's start, image included. */
const LOCK_MS = 900_000;
/** Conformance tests kill nobody: a machine that is busy for seconds must not look like a dead primary to them. */
const ELECTION_MS = 10_000;

/** What a file in `.cache/servers` says of a server. */
interface SharedServer {
  /** What a client connects to. */
  readonly url: string;
  readonly ports: readonly number[];
}

interface Kind {
  readonly start: (options: {
    readonly name: string;
    readonly owner: string;
    readonly fast: true;
  }) => Promise<SharedServer>;
  readonly answers: (port: number) => Promise<boolean>;
}

const mongoAnswers = async (port: number): Promise<boolean> => (await hello(port)) !== null;

const KINDS: Readonly<Record<string, Kind>> = {
  mongodb: {
    start: (options) => MongoSet.start({ ...options, members: 1 }),
    answers: mongoAnswers,
  },
  mongodb3: {
    start: (options) => MongoSet.start({ ...options, members: 3, electionTimeoutMs: ELECTION_MS }),
    answers: mongoAnswers,
  },
  kafka: {
    start: async (options) => {
      const { broker, port } = await KafkaServer.start(options);
      return { url: broker, ports: [port] };
    },
    answers: kafkaAnswers,
  },
};

/** The servers that test runs can share. */
export const NAMES: readonly string[] = Object.keys(KINDS);

/** Addresses by name; or why there are none. */
export type Needed = Readonly<Record<string, string>>;

/** Servers that outlive the process which started them: a file each says where they are, a lock each who may start them. */
export class SharedServers {
  readonly #folder: string;

  constructor(folder = join(CHECKOUT, '.cache', 'servers')) {
    this.#folder = folder;
  }

  /**
   * The addresses of these servers; what does not run is started. Any number of processes may ask at once: one starts, the
   * others wait. `skipped` says why Docker cannot be used. Rejects where it can and a server does not start all the same.
   */
  async need(names: readonly string[]): Promise<Needed> {
    const unknown = names.find((name) => !NAMES.includes(name));
    if (unknown !== undefined)
      throw new Error(`No server is called ${unknown}; there are ${NAMES.join(', ')}`);
    const trouble = await dockerTrouble();
    if (trouble !== null) return { skipped: trouble };
    const found = names.map(async (name) => [name, await this.#locked(name, () => this.#needOne(name))]);
    return Object.fromEntries(await Promise.all(found)) as Needed;
  }

  /** The addresses of those that run now. */
  async running(): Promise<Needed> {
    const found = await Promise.all(NAMES.map(async (name) => [name, await this.#answering(name)] as const));
    return Object.fromEntries(found.flatMap(([name, server]) => (server ? [[name, server.url]] : [])));
  }

  /** Removes them, and servers whose test process died before it removed them itself. Gives the containers' names. */
  async remove(): Promise<readonly string[]> {
    if ((await dockerTrouble()) !== null) return [];
    const removed = await Promise.all(NAMES.map((name) => this.#locked(name, () => this.#removeOne(name))));
    const orphans = await removeOwnedBy(isDeadProcess);
    return [...removed.flat(), ...orphans];
  }

  async #needOne(name: string): Promise<string> {
    const running = await this.#answering(name);
    if (running) return running.url;
    await this.#removeOne(name);
    const owner = this.#file(name, 'json');
    const { url, ports } = await KINDS[name]!.start({ name, owner, fast: true });
    await writeFile(owner, JSON.stringify({ url, ports }));
    return url;
  }

  async #removeOne(name: string): Promise<readonly string[]> {
    const file = this.#file(name, 'json');
    const names = await removeOwnedBy((owner) => owner === file);
    await rm(file, { force: true });
    return names;
  }

  /** The server as its file describes it, unless one of its ports does not answer. */
  async #answering(name: string): Promise<SharedServer | null> {
    const text = await readFile(this.#file(name, 'json'), 'utf8').catch(() => null);
    if (text === null) return null;
    const server = JSON.parse(text) as SharedServer;
    const answers = await Promise.all(server.ports.map(KINDS[name]!.answers));
    return answers.every(Boolean) ? server : null;
  }

  async #locked<T>(name: string, work: () => Promise<T>): Promise<T> {
    await mkdir(this.#folder, { recursive: true });
    return withLock(this.#file(name, 'lock'), LOCK_MS, work);
  }

  #file(name: string, kind: 'json' | 'lock'): string {
    return join(this.#folder, `${name}.${kind}`);
  }
}

async function removeOwnedBy(condition: (owner: string) => boolean): Promise<readonly string[]> {
  const names = (await containersHere()).filter(({ owner }) => condition(owner)).map(({ name }) => name);
  await removeContainers(names);
  return names;
}

function isDeadProcess(owner: string): boolean {
  if (!/^\d+$/.test(owner)) return false;
  try {
    process.kill(Number(owner), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
