import type { Action, ActionOf } from './action.ts';
import { actionRef } from './action.ts';
import { changedPaths, namedPaths } from './applying.ts';
import type { KubeObject, ObjectRef } from './kube.ts';
import { refOf } from './kube.ts';
import type { Observed, OverwrittenFields } from './observed.ts';

/** So many equal writes of the same fields are nothing unusual: objects change under our hands. */
export const MAX_EQUAL_WRITES = 3;
const HOLD_BASE_MS = 10_000;
const HOLD_MAX_MS = 300_000;

/** A write that sets fields of an object. */
export interface FieldWrite {
  /** Names the object, as the status does. */
  readonly ref: string;
  readonly object: ObjectRef;
  /** What is written: two writes that would lead to the same object are equal. */
  readonly signature: string;
  /** The fields that are written, as a part of the object that holds them. */
  readonly wanted: Readonly<Record<string, unknown>>;
}

/** The field write of an action; null: it is none, or it creates the object. */
export function fieldWriteOf(action: Action): FieldWrite | null {
  const wanted = wantedBy(action);
  if (wanted === null) return null;
  const object = action.kind === 'apply' ? refOf(action.object) : (action as ActionOf<'scale'>).ref;
  const fields = action.kind === 'apply' ? action.fields : wanted;
  return {
    ref: actionRef(action),
    object,
    signature: `${action.kind} ${JSON.stringify(fields)}`,
    wanted,
  };
}

function wantedBy(action: Action): Readonly<Record<string, unknown>> | null {
  if (action.kind === 'apply') return action.fields === undefined ? null : action.object;
  if (action.kind === 'scale') return { spec: { replicas: action.replicas } };
  if (action.kind !== 'annotate') return null;
  // One that is taken away is not there, or empty.
  const annotations = Object.entries(action.annotations).map(([name, value]) => [name, value ?? '']);
  return { metadata: { annotations: Object.fromEntries(annotations) as Record<string, string> } };
}

/** Fields of a write that a live object does not have as written: paths, and for people. Null: it has all of them. */
export function notAsWritten(
  { wanted }: FieldWrite,
  live: KubeObject,
): { readonly paths: readonly string[]; readonly fields: string } | null {
  const { metadata } = live;
  // The API server does not store an empty map.
  const whole = { ...live, metadata: { ...metadata, annotations: metadata.annotations ?? {} } };
  const paths = changedPaths(wanted, whole);
  return paths.length === 0 ? null : { paths, fields: namedPaths(paths) };
}

/** How long equal writes are held after so many of them, in milliseconds. */
export function holdMs(writes: number): number {
  return Math.min(HOLD_MAX_MS, HOLD_BASE_MS * 2 ** (writes - MAX_EQUAL_WRITES));
}

/** Whether a write waits, because it was changed back after each of several equal ones. */
export function isHeld({ overwritten, now }: Pick<Observed, 'overwritten' | 'now'>, action: Action): boolean {
  const write = fieldWriteOf(action);
  if (write === null) return false;
  return overwritten.some(({ ref, signature, writes, lastAt }) => {
    // A clock that was set back must not hold it any longer.
    const waited = Math.abs(now - lastAt);
    return ref === write.ref && signature === write.signature && waited < holdMs(writes);
  });
}

/** Whether the fields that an action writes are known to be changed back. */
export function isOverwritten({ overwritten }: Observed, action: Action): boolean {
  const write = fieldWriteOf(action);
  return overwritten.some(({ ref, signature }) => ref === write?.ref && signature === write.signature);
}

/** Actions apart from those that are held, with the Events and notes behind them which tell of them. */
export function withoutHeld(
  observed: Observed,
  actions: readonly Action[],
): { readonly actions: readonly Action[]; readonly held: readonly Action[] } {
  if (observed.overwritten.length === 0) return { actions, held: [] };
  const kept: Action[] = [];
  const held: Action[] = [];
  let isPassing = false;
  for (const action of actions) {
    isPassing &&= action.kind === 'event' || action.kind === 'remember';
    if (isPassing) continue;
    isPassing = isHeld(observed, action);
    (isPassing ? held : kept).push(action);
  }
  return { actions: kept, held };
}

/** For people: which fields of which object, and who changes them. */
export function overwrittenSays({ ref, fields, managers }: OverwrittenFields): string {
  const cause =
    managers.length > 0
      ? `field manager ${managers.join(', ')} changes it`
      : 'no other field manager owns it, so an admission webhook or policy probably changes it on each write';
  return `${ref}: ${fields} is not kept as the operator writes it: ${cause}. It is written again after 10 s to 5 min`;
}

/** One Event for each, when it is found. */
export function overwrittenEvents({ overwritten }: Observed): ActionOf<'event'>[] {
  return overwritten
    .filter(({ isTold }) => !isTold)
    .map((entry) => ({
      kind: 'event',
      type: 'Warning',
      reason: FIELDS_OVERWRITTEN,
      message: overwrittenSays(entry),
    }));
}

/** The reason in conditions and Events. */
export const FIELDS_OVERWRITTEN = 'FieldsOverwritten';
