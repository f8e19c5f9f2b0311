import type { Db, Document } from 'mongodb';
import { IDENTITY_ROLE } from '../plan/desired/names.ts';
import type { MongoMember, MongoReport } from '../plan/observed.ts';
import { answersWithin, settlesWithin } from '../runtime/deadline.ts';
import { reportOf, type MemberAnswer } from './mongo-report.ts';

/** A managed replica set, and what opens it. */
export interface MongoTarget {
  readonly setName: string;
  /** The id of the set that is meant; null: none is known yet. Members of another one are not acted on. */
  readonly setId: string | null;
  /** `host:port` of the members. */
  readonly hosts: readonly string[];
  /** What the keyfile holds: the password of `__system`. Never logged. */
  readonly keyfile: string;
}

/** A user as it should be. */
export interface MongoLogin {
  readonly name: string;
  readonly password: string;
  readonly roles: readonly { readonly role: string; readonly db: string }[];
}

export interface MongoServersOptions {
  /** To find a server and open a connection, in milliseconds. */
  readonly connectMs?: number;
  /** For an answer, in milliseconds. */
  readonly answerMs?: number;
  /** For everything that is done on one member at a time, in milliseconds. */
  readonly workMs?: number;
}

/** Codes of MongoDB. Source: MongoDB, `src/mongo/base/error_codes.yml`. */
const CODES = {
  ...{
    notYetInitialized: 94,
    notMember: 93,
    alreadyInitialized: 23,
    userExists: 51_003,
    roleExists: 51_002,
    userNotFound: 11,
  },
};

/** Members are waited for by `replSetInitiate` and `replSetReconfig` for up to so long, in milliseconds. */
const MAJORITY_MS = 20_000;

/** Closing a client sends a last command, which nobody waits for longer than this. */
const CLOSE_MS = 2_000;
/** A member that stepped down does not stand for election for so long: the others have time to elect one. */
const STAY_DOWN_SECONDS = 60;
/** So long a primary waits for another member to have all that it has. */
const CATCH_UP_SECONDS = 10;
/** So long a member of another set stays no primary; it is looked at again before, and nobody waits longer if it is decided for. */
const FENCE_SECONDS = 90;

function hasCode(error: unknown, code: number): boolean {
  return (
    error instanceof Error && error.name === 'MongoServerError' && 'code' in error && error.code === code
  );
}

/**
 * What the operator does with managed replica sets, each time over connections of its own, which are closed afterwards.
 * It comes as the members come to each other: as `__system`, with the keyfile. So it needs no user before there are any.
 * Everything may be done twice. Rejects with the driver's errors.
 */
export class MongoServers {
  readonly #connectMs: number;
  readonly #answerMs: number;
  readonly #workMs: number;

  constructor({ connectMs = 3_000, answerMs = 25_000, workMs = 60_000 }: MongoServersOptions = {}) {
    this.#connectMs = connectMs;
    this.#answerMs = answerMs;
    this.#workMs = workMs;
  }

  /** Gives the first host its first configuration. One that it has already stays. */
  async initiate(target: MongoTarget, members: readonly MongoMember[]): Promise<void> {
    const config = { _id: target.setName, members: members.map(memberDocument) };
    await this.#on(target.hosts[0]!, target, async (admin) => {
      try {
        await admin.command({ replSetInitiate: config });
      } catch (error) {
        if (!hasCode(error, CODES.alreadyInitialized)) throw error;
      }
    });
  }

  /** Replaces the members, if the configuration is still the one that was seen. What members have besides is kept. */
  async reconfigure(
    target: MongoTarget,
    { fromVersion, members }: { readonly fromVersion: number; readonly members: readonly MongoMember[] },
  ): Promise<void> {
    await this.#onPrimary(target, async (admin) => {
      const { config } = (await admin.command({ replSetGetConfig: 1 })) as { config: RawConfig };
      if (config.version !== fromVersion) {
        throw new Error(`The replica set is at version ${config.version} by now, not at ${fromVersion}`);
      }
      const known = new Map(config.members.map((member) => [member.host, member]));
      const next = members.map((member) => ({ ...memberDocument(member), ...known.get(member.host) }));
      await admin.command({
        replSetReconfig: { ...config, version: fromVersion + 1, members: next },
        maxTimeMS: MAJORITY_MS,
      });
    });
  }

  /** Makes the users of `admin` what they should be. */
  async ensureUsers(target: MongoTarget, users: readonly MongoLogin[]): Promise<void> {
    await this.#onPrimary(target, async (admin) => {
      await ensureIdentityRole(admin);
      for (const { name, password, roles } of users) {
        const wanted = {
          pwd: password,
          roles: [...roles],
          writeConcern: { w: 'majority', wtimeout: MAJORITY_MS },
        };
        try {
          await admin.command({ createUser: name, ...wanted });
        } catch (error) {
          if (!hasCode(error, CODES.userExists)) throw error;
          await admin.command({ updateUser: name, ...wanted });
        }
      }
    });
  }

  /** Drops users of `admin`; those that are not there are passed over. Who is logged in as one of them loses its rights. */
  async dropUsers(target: MongoTarget, names: readonly string[]): Promise<void> {
    await this.#onPrimary(target, async (admin) => {
      for (const name of names) {
        try {
          await admin.command({ dropUser: name, writeConcern: { w: 'majority', wtimeout: MAJORITY_MS } });
        } catch (error) {
          if (!hasCode(error, CODES.userNotFound)) throw error;
        }
      }
    });
  }

  /** What the set says of itself. Rejects when no member answers, or too few to tell whether there is a set. */
  async report(target: MongoTarget): Promise<MongoReport> {
    const asked = await Promise.allSettled(
      target.hosts.map((host) => this.#on(host, target, (admin, local) => askMember(host, admin, local))),
    );
    return reportOf({
      answers: asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
      failures: asked.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : [])),
      expected: target.setId,
    });
  }

  /** Makes the primary hand over to a member that is up to date, and none of those in `freeze`. */
  async stepDown(
    target: MongoTarget,
    { from, freeze }: { readonly from: string; readonly freeze: readonly string[] },
  ): Promise<void> {
    for (const host of freeze) {
      await this.#on(host, target, (admin) => admin.command({ replSetFreeze: STAY_DOWN_SECONDS }));
    }
    await this.#on(from, target, async (admin) => {
      if (!(await isPrimaryOf(admin, target.setId))) return;
      const bounds = { secondaryCatchUpPeriodSecs: CATCH_UP_SECONDS };
      await admin.command({ replSetStepDown: STAY_DOWN_SECONDS, ...bounds });
    });
  }

  /** Makes a primary that is of another set than the one that is meant step down for a while, and changes none of its data. */
  async fence(target: MongoTarget, host: string): Promise<void> {
    await this.#on(host, target, async (admin) => {
      const { isWritablePrimary } = await admin.command({ hello: 1 });
      if (isWritablePrimary !== true || (await isPrimaryOf(admin, target.setId))) return;
      await admin.command({ replSetStepDown: FENCE_SECONDS, force: true });
    });
  }

  async #onPrimary(target: MongoTarget, work: (admin: Db) => Promise<void>): Promise<void> {
    await this.#on(await this.#primaryOf(target), target, work);
  }

  async #primaryOf(target: MongoTarget): Promise<string> {
    const failures: unknown[] = [];
    for (const host of target.hosts) {
      try {
        if (await this.#on(host, target, (admin) => isPrimaryOf(admin, target.setId))) return host;
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, `No primary among ${target.hosts.join(', ')}: ${failures.join('; ')}`);
  }

  /** Runs work on one member, as its peers see it: also one that has no set yet, or is no primary. */
  async #on<T>(
    host: string,
    { keyfile }: MongoTarget,
    work: (admin: Db, local: Db) => Promise<T>,
  ): Promise<T> {
    // Memory that only managed replica sets are worth.
    const { MongoClient } = await import('mongodb');
    const client = new MongoClient(`mongodb://${host}/`, {
      directConnection: true,
      // mongod leaves white space out too. Source: MongoDB manual, "keyfile".
      auth: { username: '__system', password: keyfile.replace(/\s/g, '') },
      authSource: 'local',
      authMechanism: 'SCRAM-SHA-256',
      appName: 'hashcluster-operator',
      maxPoolSize: 1,
      serverSelectionTimeoutMS: this.#connectMs,
      connectTimeoutMS: this.#connectMs,
      socketTimeoutMS: this.#answerMs,
    });
    const late = (): Error => new Error(`${host} has not answered within ${this.#workMs} ms`);
    try {
      // The driver has no limit for a request that is not taken. Source: mongodb 7.8, `Connection.writeCommand`.
      return await answersWithin(work(client.db('admin'), client.db('local')), this.#workMs, late);
    } finally {
      await settlesWithin(client.close(true), CLOSE_MS);
    }
  }
}

interface RawConfig extends Document {
  readonly version: number;
  readonly settings?: { readonly replicaSetId?: unknown };
  readonly members: readonly { readonly host: string }[];
}

/** Whether it is the primary of the set with this id; of any where that is null. */
async function isPrimaryOf(admin: Db, setId: string | null): Promise<boolean> {
  const hello = await admin.command({ hello: 1 });
  if (hello['isWritablePrimary'] !== true) return false;
  if (setId === null) return true;
  const { config } = await admin.command({ replSetGetConfig: 1 });
  return String((config as RawConfig).settings?.replicaSetId) === setId;
}

/** The role lets its users read which replica set this is. */
async function ensureIdentityRole(admin: Db): Promise<void> {
  const privileges = [{ resource: { cluster: true }, actions: ['replSetGetConfig'] }];
  const writeConcern = { w: 'majority', wtimeout: MAJORITY_MS };
  try {
    await admin.command({ createRole: IDENTITY_ROLE, privileges, roles: [], writeConcern });
  } catch (error) {
    if (!hasCode(error, CODES.roleExists)) throw error;
  }
}

function memberDocument({ id, host, votes, priority }: MongoMember): Document {
  return { _id: id, host, votes, priority };
}

interface RawUser {
  readonly user: string;
  readonly roles: readonly { readonly role: string }[];
}

function grantOf({ user, roles }: RawUser): [string, readonly string[]] {
  return [user, roles.map(({ role }) => role)];
}

async function askMember(host: string, admin: Db, local: Db): Promise<MemberAnswer> {
  const hello = (await admin.command({ hello: 1 })) as { isWritablePrimary?: boolean };
  // The one database that a member can read in every state. All lie on one disk.
  const stats = (await local.command({ dbStats: 1 })) as { fsUsedSize?: number; fsTotalSize?: number };
  const set = await askSet(admin);
  const isPrimary = hello.isWritablePrimary === true;
  const users = isPrimary ? ((await admin.command({ usersInfo: 1 })) as { users: RawUser[] }) : null;
  return {
    ...{ host, isPrimary, ...set },
    users: users?.users.map(({ user }) => user) ?? null,
    ...(users && { grants: Object.fromEntries(users.users.map(grantOf)) }),
    disk: { used: stats.fsUsedSize ?? 0, total: stats.fsTotalSize ?? 0 },
  };
}

/** A member that was removed from the set still has its data and the configuration, but no status. */
async function askStatus(admin: Db): Promise<MemberAnswer['members']> {
  try {
    const answer = (await admin.command({ replSetGetStatus: 1 })) as Pick<MemberAnswer, 'members'>;
    return answer.members;
  } catch (error) {
    if (hasCode(error, CODES.notMember)) return [];
    throw error;
  }
}

async function askSet(admin: Db): Promise<Pick<MemberAnswer, 'config' | 'members'>> {
  try {
    const { config } = (await admin.command({ replSetGetConfig: 1 })) as Pick<MemberAnswer, 'config'>;
    return { config, members: await askStatus(admin) };
  } catch (error) {
    if (hasCode(error, CODES.notYetInitialized)) return { config: null, members: [] };
    throw error;
  }
}
