import type { Action } from '../action.ts';
import type { MongoMember, MongoReport } from '../observed.ts';

interface Config {
  readonly setId: string;
  readonly version: number;
  readonly term: number;
  readonly members: readonly MongoMember[];
}

/** What lies on the volume of one claim. */
interface Data {
  config: Config;
  /** How many jobs, of those acknowledged one after the other, it has; 0: nothing was copied yet. */
  jobs: number;
}

/** A member that runs: its host and the uid of its claim. */
export interface Running {
  readonly host: string;
  readonly volume: string;
}

function isNewer(a: Config, b: Config): boolean {
  return a.term !== b.term ? a.term > b.term : a.version > b.version;
}

/**
 * Replica sets as far as their configurations and data go: members of one set tell each other of newer configurations,
 * empty ones that are named in one take it over, a majority elects whoever has the most, and the others copy it.
 */
export class MongoModel {
  /** By the uid of the claim. */
  readonly volumes = new Map<string, Data>();
  /** Jobs that were acknowledged in the set, by its id. */
  acknowledged = 0;
  users: readonly string[] = [];
  #running: readonly Running[] = [];
  #sets = 0;
  #asked: string | null = null;
  /** Ids of the sets that ever were. */
  readonly made: string[] = [];

  /** Hosts that accept writes now. */
  primaries: string[] = [];

  /** The member that is elected next, if it can be. */
  prefer(ordinal: number): void {
    this.#asked = this.#running.find(({ host }) => host.includes(`-mongodb-${ordinal}.`))?.host ?? null;
  }

  /** Members in the configuration of the set in service. */
  get members(): number {
    return this.#dataOf(this.primaries[0])?.config.members.length ?? 0;
  }

  /** One step of time, with these members. */
  run(running: readonly Running[]): void {
    this.#running = running;
    this.#gossip();
    const elected = this.#configs().map((config) => this.#elect(config));
    this.primaries = elected.filter((host) => host !== null);
    for (const host of this.primaries) this.#replicate(host);
  }

  act(action: Action): void {
    if (action.kind === 'initiateMongo') this.#initiate(action.members);
    if (action.kind === 'ensureMongoUsers') this.users = action.users.map(({ name }) => name);
    if (action.kind === 'stepDownMongo') {
      const frozen = new Set([action.from, ...action.freeze]);
      this.#asked = this.#running.find(({ host }) => this.#isMember(host) && !frozen.has(host))?.host ?? null;
    }
    if (action.kind === 'reconfigureMongo') {
      const primary = this.primaries.find((host) => action.address.hosts.includes(host));
      const data = this.#dataOf(primary);
      if (!data || data.config.version !== action.fromVersion) return;
      data.config = { ...data.config, version: action.fromVersion + 1, members: action.members };
    }
  }

  report(expected: string | null): MongoReport | null {
    if (this.#running.length === 0) return null;
    const identities = this.#running.map(({ host }) => {
      const setId = this.#dataOf(host)?.config.setId ?? null;
      return { host, setId, isPrimary: this.primaries.includes(host) };
    });
    const ids = [...new Set(identities.flatMap(({ setId }) => setId ?? []))];
    const chosen = expected ?? (ids.length === 1 ? ids[0]! : null);
    const config = this.#configs().find(({ setId }) => setId === chosen);
    const disks: MongoReport['disks'] = [];
    if (!config) return { config: null, members: [], primary: null, users: null, identities, disks };
    const primary = this.primaries.find((host) => this.#dataOf(host)?.config === config) ?? null;
    const members = config.members.map(({ host }) => {
      const healthy = (this.#dataOf(host)?.jobs ?? 0) > 0;
      return { host, healthy, state: host === primary ? 'PRIMARY' : healthy ? 'SECONDARY' : 'STARTUP2' };
    });
    const users = primary === null ? null : this.users;
    return { config: { setName: 'rs0', ...config }, members, primary, users, identities, disks };
  }

  #dataOf(host: string | undefined): Data | undefined {
    const member = this.#running.find((candidate) => candidate.host === host);
    return member && this.volumes.get(member.volume);
  }

  #isMember(host: string): boolean {
    return this.#dataOf(host)?.config.members.some((member) => member.host === host) ?? false;
  }

  /** The newest configuration of each set that a running member knows. */
  #configs(): Config[] {
    const newest = new Map<string, Config>();
    for (const { host } of this.#running) {
      const config = this.#dataOf(host)?.config;
      if (!config) continue;
      const known = newest.get(config.setId);
      if (!known || isNewer(config, known)) newest.set(config.setId, config);
    }
    return [...newest.values()];
  }

  #gossip(): void {
    for (const config of this.#configs())
      for (const { host, volume } of this.#running) {
        const data = this.volumes.get(volume);
        if (data?.config.setId === config.setId) data.config = config;
        const isNamed = config.members.some((member) => member.host === host);
        if (!data && isNamed) this.volumes.set(volume, { config, jobs: 0 });
      }
  }

  #elect(config: Config): string | null {
    const voters = config.members.filter(({ host }) => this.#dataOf(host)?.config === config);
    if (voters.length * 2 <= config.members.length) return null;
    const jobs = (host: string): number => this.#dataOf(host)?.jobs ?? 0;
    const most = Math.max(...voters.map(({ host }) => jobs(host)));
    const able = voters.filter(({ host }) => jobs(host) === most && most > 0).map(({ host }) => host);
    const keeps = this.primaries.find((host) => able.includes(host) && host !== this.#asked);
    if (this.#asked !== null && able.includes(this.#asked)) return this.#asked;
    return keeps ?? able.at(-1) ?? null;
  }

  /** One more job, acknowledged when a majority has it; the others copy what they have missed with the next one. */
  #replicate(primary: string): void {
    const data = this.#dataOf(primary)!;
    data.jobs += 1;
    this.acknowledged = data.jobs;
    for (const { host } of data.config.members) {
      const other = this.#dataOf(host);
      if (other?.config === data.config) other.jobs = data.jobs;
    }
  }

  #initiate(members: readonly MongoMember[]): void {
    const first = this.#running.find(({ host }) => host === members[0]?.host);
    if (!first || this.volumes.has(first.volume)) return;
    const setId = `set${(this.#sets += 1)}`;
    this.made.push(setId);
    this.acknowledged = 0;
    this.volumes.set(first.volume, { config: { setId, version: 1, term: 1, members }, jobs: 1 });
  }
}
