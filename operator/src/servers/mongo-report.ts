import type { MongoIdentity, MongoReport } from '../plan/observed.ts';

/** What one member answers. Sources: MongoDB manual, `replSetGetConfig`, `replSetGetStatus`, `dbStats`, `usersInfo`. */
export interface MemberAnswer {
  readonly host: string;
  readonly isPrimary: boolean;
  /** Null: it has none yet. */
  readonly config: {
    readonly _id: string;
    readonly version: number;
    readonly term?: number | { toString(): string };
    /** `settings.replicaSetId`: an ObjectId. */
    readonly settings?: { readonly replicaSetId?: { toString(): string } };
    readonly members: readonly {
      readonly _id: number;
      readonly host: string;
      readonly votes: number;
      readonly priority: number;
    }[];
  } | null;
  readonly members: readonly { readonly name: string; readonly stateStr: string; readonly health: number }[];
  /** Names; only a primary knows. */
  readonly users: readonly string[] | null;
  /** Their roles, by name. */
  readonly grants?: Readonly<Record<string, readonly string[]>>;
  /** Bytes. */
  readonly disk: { readonly used: number; readonly total: number };
}

/** What members answered, and what came of the questions that were not answered. */
export interface Answers {
  readonly answers: readonly MemberAnswer[];
  readonly failures: readonly Error[];
  /** The id of the set that is meant; null: whichever there is. */
  readonly expected: string | null;
}

/**
 * One report of what members answer. Of the expected set the primary is believed, without one whoever has the newest
 * configuration. While no set is expected and members are of different ones, none is chosen.
 * Throws when nobody answers, or when those who do know of no set but others, who may know one, are silent.
 */
export function reportOf({ answers, failures, expected }: Answers): MongoReport {
  const identities = answers.map(identityOf);
  const ids = new Set(identities.flatMap(({ setId }) => setId ?? []));
  const chosen = expected ?? (ids.size === 1 ? [...ids][0]! : null);
  const known = answers.filter(({ config }) => config !== null && setIdOf(config) === chosen);
  const [teller] = known.sort(byKnowledge);
  if (answers.length === 0 || (ids.size === 0 && failures.length > 0)) {
    throw new Error(`${failures.length} members do not answer: ${failures[0]?.message ?? 'no reason given'}`);
  }
  const disks = answers
    .filter(({ disk }) => disk.total > 0)
    .map(({ host, disk: { used, total } }) => ({ host, used, total }));
  if (!teller?.config) return { config: null, members: [], primary: null, users: null, identities, disks };
  return {
    config: configOf(teller.config),
    members: teller.members.map(({ name, stateStr, health }) => ({
      ...{ host: name, state: stateStr, healthy: health === 1 },
    })),
    primary: teller.isPrimary ? teller.host : null,
    users: teller.users,
    ...(teller.grants && { grants: teller.grants }),
    ...{ identities, disks },
  };
}

type RawConfig = NonNullable<MemberAnswer['config']>;

function setIdOf({ settings }: RawConfig): string {
  return settings?.replicaSetId?.toString() ?? '';
}

function identityOf({ host, config, isPrimary }: MemberAnswer): MongoIdentity {
  return { host, setId: config && setIdOf(config), isPrimary };
}

function configOf(config: RawConfig): NonNullable<MongoReport['config']> {
  return {
    ...{ setName: config._id, setId: setIdOf(config), version: config.version },
    term: Number(config.term ?? -1),
    members: config.members.map(({ _id: id, host, votes, priority }) => ({
      ...{ id, host, priority },
      votes: votes === 0 ? 0 : 1,
    })),
  };
}

function byKnowledge(a: MemberAnswer, b: MemberAnswer): number {
  const terms = Number(b.config?.term ?? -1) - Number(a.config?.term ?? -1);
  // A primary that others have voted out does not know it yet: its configuration is of an older term.
  if (terms !== 0) return terms;
  if (a.isPrimary !== b.isPrimary) return a.isPrimary ? -1 : 1;
  return (b.config?.version ?? -1) - (a.config?.version ?? -1);
}
