import type { DamagedFact, StoreOptions } from '../../../ports/job-store.ts';
import type { KeptClock, Times } from './store-clock.ts';

/** What travels between the threads is flat: lists of strings and numbers are copied far faster than objects. */
export type Cell = string | number | null;

/** What the thread can be asked to do; each has one function in `commands/`. */
export type Operation =
  | 'submit'
  | 'get'
  | 'list'
  | 'claimIds'
  | 'claimOldest'
  | 'checkpoint'
  | 'complete'
  | 'release'
  | 'owned'
  | 'renew'
  | 'sweep'
  | 'cancel'
  | 'backlog';

/** Commands of a lane are carried out in their order. Pages of lists have their own, so that they hold up nothing else. */
export type Lane = 'main' | 'lists';

/** The lane of an operation. */
export function laneOf(operation: Operation): Lane {
  return operation === 'list' ? 'lists' : 'main';
}

export interface Command {
  /** Names the reply. */
  readonly call: number;
  readonly operation: Operation;
  readonly cells: readonly Cell[];
  /** How much this is, for the bounds on queue and transaction. */
  readonly items: number;
  /** By the store's clock, when this was sent. */
  readonly times: Times;
}

/** `failure` says why nothing of the command happened. */
export type Reply =
  | { readonly call: number; readonly cells: readonly Cell[] }
  | { readonly call: number; readonly failure: string };

export type ToThread =
  | { readonly kind: 'commands'; readonly commands: readonly Command[] }
  | { readonly kind: 'close'; readonly times: Times };

export type FromThread =
  | { readonly kind: 'ready'; readonly opened: Opened }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'damaged'; readonly facts: readonly DamagedFact[] }
  /** `trouble`: what keeps the file from being written; null when nothing does. */
  | { readonly kind: 'replies'; readonly replies: readonly Reply[]; readonly trouble: string | null };

/** What was found when the file was opened. */
export interface Opened {
  readonly queued: number;
  /** Jobs that an earlier process held when it ended. */
  readonly requeued: number;
  readonly failed: number;
  /** The version the file had; 0 = it was new. */
  readonly version: number;
  /** Why nothing could be written; the file can be read all the same. Null when all is well. */
  readonly unwritable: string | null;
  /** The store's clock when the file was written last; null: it is not known. */
  readonly clock: KeptClock | null;
}

export interface ThreadSetup extends StoreOptions {
  readonly file: string;
  /** The wall clock, in milliseconds since 1970. */
  readonly now: number;
}
