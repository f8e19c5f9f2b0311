import type { Action } from './plan/action.ts';
import { otherManagers } from './plan/field-managers.ts';
import type { KubeObject, ObjectRef } from './plan/kube.ts';
import type { OverwrittenFields } from './plan/observed.ts';
import {
  FIELDS_OVERWRITTEN,
  fieldWriteOf,
  isHeld,
  MAX_EQUAL_WRITES,
  notAsWritten,
  overwrittenSays,
  type FieldWrite,
} from './plan/overwritten.ts';

/** An object that nobody asks to be written for so long is as it should be. Milliseconds. */
const SETTLED_MS = 30_000;

/** Equal writes to one object. */
interface Entry {
  readonly signature: string;
  /** `metadata.generation` of the HashCluster. */
  readonly generation: number | undefined;
  readonly writes: number;
  /** When it was written last, in milliseconds since 1970. */
  readonly lastAt: number;
  /** When a plan asked for it last. */
  readonly wantedAt: number;
  /** Null: not known to be changed back. */
  readonly cause: Pick<OverwrittenFields, 'fields' | 'managers'> | null;
  readonly isTold: boolean;
}

/** What a round has planned and carried out. */
export interface WritesOfRound {
  readonly generation: number | undefined;
  /** Everything that the plan asks for, with what it holds back. */
  readonly wanted: readonly Action[];
  readonly done: readonly Action[];
}

type ReadLive = (ref: ObjectRef) => Promise<KubeObject | null>;

/** Fields that somebody changes after each write of the operator, by HashCluster and object. */
export class OverwrittenBook {
  readonly #entries = new Map<string, ReadonlyMap<string, Entry>>();
  readonly #read: ReadLive;

  constructor(read: ReadLive) {
    this.#read = read;
  }

  /** Whether anything was written so often that its live object is to be looked at. */
  any(key: string): boolean {
    return [...(this.#entries.get(key)?.values() ?? [])].some(({ writes }) => writes >= MAX_EQUAL_WRITES);
  }

  /** Fields that are known to be changed back. */
  of(key: string): OverwrittenFields[] {
    return [...(this.#entries.get(key) ?? [])].flatMap(
      ([ref, { signature, writes, lastAt, isTold, cause }]) =>
        cause === null ? [] : [{ ...{ ref, signature, writes, lastAt, isTold }, ...cause }],
    );
  }

  /**
   * Looks at the live objects of writes that were made several times already: caches may be behind. Rejects when the API
   * server does not answer.
   */
  async examine(key: string, actions: readonly Action[], now: number): Promise<void> {
    const entries = new Map(this.#entries.get(key));
    for (const action of actions) {
      const write = fieldWriteOf(action);
      const entry = write && entries.get(write.ref);
      if (!entry || entry.signature !== write.signature || entry.writes < MAX_EQUAL_WRITES) continue;
      if (isHeld({ overwritten: this.of(key), now }, action)) continue;
      const cause = await this.#causeOf(write);
      if (cause === null) entries.delete(write.ref);
      else entries.set(write.ref, { ...entry, cause });
    }
    this.#keep(key, entries);
  }

  /** Takes in what became of a round. */
  note(key: string, { generation, wanted, done }: WritesOfRound, now: number): void {
    const told = new Set(
      done.flatMap((one) => (one.kind === 'event' ? [`${one.reason} ${one.message}`] : [])),
    );
    const written = new Set(done.flatMap((action) => fieldWriteOf(action)?.ref ?? []));
    const writes = wanted.map(fieldWriteOf).filter((write) => write !== null);
    const entries = new Map<string, Entry>();
    for (const [ref, entry] of this.#entries.get(key) ?? []) {
      const isOver = entry.generation !== generation || Math.abs(now - entry.wantedAt) > SETTLED_MS;
      const { cause } = entry;
      const isTold =
        entry.isTold ||
        (cause !== null && told.has(`${FIELDS_OVERWRITTEN} ${overwrittenSays({ ref, ...entry, ...cause })}`));
      if (!isOver) entries.set(ref, { ...entry, isTold });
    }
    for (const { ref, signature } of writes) {
      const known = entries.get(ref);
      const isWritten = written.has(ref);
      if (known?.signature === signature) {
        const lastAt = isWritten ? now : known.lastAt;
        entries.set(ref, { ...known, writes: known.writes + Number(isWritten), lastAt, wantedAt: now });
      } else if (isWritten) {
        const begun = { writes: 1, lastAt: now, wantedAt: now, cause: null, isTold: false };
        entries.set(ref, { signature, generation, ...begun });
      }
    }
    this.#keep(key, entries);
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  #keep(key: string, entries: ReadonlyMap<string, Entry>): void {
    if (entries.size === 0) this.#entries.delete(key);
    else this.#entries.set(key, entries);
  }

  /** Null: the object is as it was written, or it is gone. */
  async #causeOf(write: FieldWrite): Promise<Entry['cause']> {
    const live = await this.#read(write.object);
    const other = live && notAsWritten(write, live);
    if (!other) return null;
    return { fields: other.fields, managers: otherManagers(live, write.wanted, other.paths) };
  }
}
