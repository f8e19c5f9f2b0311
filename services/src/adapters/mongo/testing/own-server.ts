import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { freePort } from '../../../runtime/testing/free-port.ts';

const IMAGE = 'mongo:6.0';
/** The user `mongodb` of the image. */
const USER = '999:999';
const COMMAND_MS = 120_000;
const START_MS = 60_000;
const LOOK_MS = 250;

const ADMIN = { user: 'admin', password: 'admin-password' };

/** A mongod with users, of one member or by itself, that a test has to itself. */
export class OwnMongo {
  readonly port: number;
  readonly #name: string;

  private constructor(port: number) {
    this.port = port;
    this.#name = `hashcluster-mongo-test-${port}`;
  }

  static async start({ replicaSet }: { readonly replicaSet: boolean }): Promise<OwnMongo> {
    const own = new OwnMongo(await freePort());
    const mongod = `mongod --bind_ip 127.0.0.1 --port ${own.port} --dbpath /data/db --wiredTigerCacheSizeGB 0.25 --quiet`;
    const script = replicaSet
      ? `openssl rand -base64 90 > /tmp/key && chmod 400 /tmp/key && exec ${mongod} --replSet rs0 --keyFile /tmp/key`
      : `exec ${mongod} --auth`;
    const run = ['run', '--detach', '--name', own.#name, '--network', 'host', '--user', USER];
    const tmpfs = ['--tmpfs', '/data/db:uid=999,gid=999', '--tmpfs', '/tmp:mode=1777'];
    await docker(...run, ...tmpfs, '--entrypoint', '/bin/sh', IMAGE, '-c', script);
    try {
      await own.#prepare(replicaSet);
      return own;
    } catch (error) {
      await own.remove();
      throw error;
    }
  }

  /** An address for this user, or for nobody. */
  uri(user: { readonly user: string; readonly password: string } | null, options = ''): string {
    const who = user ? `${user.user}:${user.password}@` : '';
    return `mongodb://${who}127.0.0.1:${this.port}/?${options}`;
  }

  /** Adds a user with one role in one database. */
  async addUser(user: string, password: string, role: { role: string; db: string }): Promise<void> {
    await this.#with(ADMIN, (client) =>
      client.db('admin').command({ createUser: user, pwd: password, roles: [role] }),
    );
  }

  async remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.#name);
  }

  /** On the same machine, the first user may be made by nobody. */
  async #prepare(replicaSet: boolean): Promise<void> {
    const end = performance.now() + START_MS;
    const isPrimary = async (): Promise<boolean> => {
      const hello = await this.#with(null, (client) => client.db('admin').command({ hello: 1 }));
      return hello['isWritablePrimary'] === true || (replicaSet && hello['setName'] === undefined);
    };
    const until = async (condition: () => Promise<boolean>): Promise<void> => {
      while (!(await condition().catch(() => false))) {
        if (performance.now() > end) throw new Error(`${this.#name} did not start`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    };
    await until(isPrimary);
    if (replicaSet) {
      const members = [{ _id: 0, host: `127.0.0.1:${this.port}` }];
      await this.#with(null, (client) =>
        client.db('admin').command({ replSetInitiate: { _id: 'rs0', members } }),
      );
      const hasSet = async (): Promise<boolean> =>
        (await this.#with(null, (client) => client.db('admin').command({ hello: 1 })))[
          'isWritablePrimary'
        ] === true;
      await until(hasSet);
    }
    const { user, password } = ADMIN;
    await this.#with(null, (client) =>
      client.db('admin').command({ createUser: user, pwd: password, roles: ['root'] }),
    );
  }

  async #with<T>(who: typeof ADMIN | null, use: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = new MongoClient(this.uri(who, 'directConnection=true&serverSelectionTimeoutMS=1000'));
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }
}

async function docker(...args: string[]): Promise<string> {
  return (await promisify(execFile)('docker', args, { timeout: COMMAND_MS })).stdout;
}
