import type { MongoMember, MongoReport } from '../plan/observed.ts';
import { KafkaServers, type KafkaTarget, type KafkaUserPassword } from '../servers/kafka.ts';
import { MongoServers, type MongoLogin, type MongoTarget } from '../servers/mongodb.ts';

interface ReplicaSet {
  version: number;
  members: readonly MongoMember[];
  users: string[];
  readonly passwords: Map<string, string>;
}

/** They are all alike, and never meet. */
const SET_ID = 'f'.repeat(24);

/** Replica sets that keep configurations and users, and nothing else. They outlive operators. */
export class FakeMongo extends MongoServers {
  /** By the first host, which every member of a set has in common. */
  /** Users that were set and dropped, in order. */
  readonly history: string[] = [];
  readonly #sets = new Map<string, ReplicaSet>();

  override async initiate(target: MongoTarget, members: readonly MongoMember[]): Promise<void> {
    if (!this.#sets.has(keyOf(target)))
      this.#sets.set(keyOf(target), { version: 1, members, users: [], passwords: new Map() });
  }

  override async reconfigure(
    target: MongoTarget,
    { fromVersion, members }: { readonly fromVersion: number; readonly members: readonly MongoMember[] },
  ): Promise<void> {
    const set = this.#setOf(target);
    if (set.version !== fromVersion) throw new Error(`The replica set is at version ${set.version} by now`);
    this.#sets.set(keyOf(target), { ...set, version: fromVersion + 1, members });
  }

  override async ensureUsers(target: MongoTarget, users: readonly MongoLogin[]): Promise<void> {
    const set = this.#setOf(target);
    set.users = [...new Set([...set.users, ...users.map(({ name }) => name)])];
    for (const { name, password } of users) set.passwords.set(name, password);
    this.history.push(...users.map(({ name }) => `set ${name}`));
  }

  override async dropUsers(target: MongoTarget, names: readonly string[]): Promise<void> {
    const set = this.#setOf(target);
    set.users = set.users.filter((name) => !names.includes(name));
    for (const name of names) set.passwords.delete(name);
    this.history.push(...names.map((name) => `drop ${name}`));
  }

  /** The password of a user; undefined: there is no such user. */
  passwordOf(host: string, user: string): string | undefined {
    return this.#sets.get(host)?.passwords.get(user);
  }

  override async report(target: MongoTarget): Promise<MongoReport> {
    const set = this.#sets.get(keyOf(target));
    const empty = target.hosts.map((host) => ({ host, setId: null, isPrimary: false }));
    if (!set) return { config: null, members: [], primary: null, users: null, identities: empty, disks: [] };
    const { version, members, users } = set;
    const [first] = members;
    return {
      config: { setName: target.setName, setId: SET_ID, version, term: 1, members },
      members: members.map(({ host }) => ({
        host,
        state: host === first?.host ? 'PRIMARY' : 'SECONDARY',
        healthy: true,
      })),
      primary: first?.host ?? null,
      users,
      identities: target.hosts.map((host) => {
        const isMember = members.some((member) => member.host === host);
        return { host, setId: isMember ? SET_ID : null, isPrimary: host === first?.host };
      }),
      disks: members.map(({ host }) => ({ host, used: 10, total: 100 })),
    };
  }

  #setOf(target: MongoTarget): ReplicaSet {
    const set = this.#sets.get(keyOf(target));
    if (!set) throw new Error('The replica set has no configuration yet');
    return set;
  }
}

function keyOf({ hosts }: MongoTarget): string {
  return hosts[0] ?? '';
}

/** Brokers that keep users that were set, and nothing else. They outlive operators. */
export class FakeKafka extends KafkaServers {
  /** Users that were set and dropped, in order. */
  readonly history: string[] = [];
  readonly passwords = new Map<string, string>();
  /** Why it takes no change of users; null: it does. */
  trouble: string | null = null;

  override setUsers(_target: KafkaTarget, users: readonly KafkaUserPassword[]): Promise<void> {
    if (this.trouble !== null) return Promise.reject(new Error(this.trouble));
    for (const { name, password } of users) this.passwords.set(name, password);
    this.history.push(...users.map(({ name }) => `set ${name}`));
    return Promise.resolve();
  }

  override dropUsers(_target: KafkaTarget, names: readonly string[]): Promise<void> {
    if (this.trouble !== null) return Promise.reject(new Error(this.trouble));
    for (const name of names) this.passwords.delete(name);
    this.history.push(...names.map((name) => `drop ${name}`));
    return Promise.resolve();
  }
}
