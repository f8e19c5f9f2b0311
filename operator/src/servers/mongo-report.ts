import type { MongoReport } from '../plan/observed.ts';

/** What one member answers. Sources: MongoDB manual, `replSetGetConfig`, `replSetGetStatus`, `dbStats`, `usersInfo`. */
export interface MemberAnswer {
  readonly host: string;
  readonly isPrimary: boolean;
  /** Null: it has none yet. */
  readonly config: {
    readonly _id: string;
    readonly version: number;
    readonly term?: number | { toString(): string };
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
  /** Bytes. */
  readonly disk: { readonly used: number; readonly total: number };
}

/**
 * One report of what members answer. The primary is believed, without one whoever has the newest configuration.
 * Throws when nobody answers, or when those who do know of no set but others, who may know one, are silent.
 */
export function reportOf(answers: readonly MemberAnswer[], failures: readonly Error[]): MongoReport {
  const [teller] = [...answers].sort(byKnowledge);
  if (!teller || (teller.config === null && failures.length > 0)) {
    throw new Error(`${failures.length} members do not answer: ${failures[0]?.message ?? 'no reason given'}`);
  }
  return {
    config: teller.config && {
      setName: teller.config._id,
      version: teller.config.version,
      members: teller.config.members.map(({ _id: id, host, votes, priority }) => ({
        ...{ id, host, priority },
        votes: votes === 0 ? 0 : 1,
      })),
    },
    members: teller.members.map(({ name, stateStr, health }) => ({
      ...{ host: name, state: stateStr, healthy: health === 1 },
    })),
    primary: teller.isPrimary ? teller.host : null,
    users: teller.users,
    disks: answers
      .filter(({ disk }) => disk.total > 0)
      .map(({ host, disk: { used, total } }) => ({ host, used, total })),
  };
}

function byKnowledge(a: MemberAnswer, b: MemberAnswer): number {
  const terms = Number(b.config?.term ?? -1) - Number(a.config?.term ?? -1);
  // A primary that others have voted out does not know it yet: its configuration is of an older term.
  if (terms !== 0) return terms;
  if (a.isPrimary !== b.isPrimary) return a.isPrimary ? -1 : 1;
  return (b.config?.version ?? -1) - (a.config?.version ?? -1);
}
