import { StoreUnavailableError } from '../../../ports/job-store.ts';
import type { Context } from '../store/context.ts';
import type { Collections } from '../store/link.ts';
import { OPTIONS, type TestStore } from './kit.ts';

const WRITES = new Set(['insertMany', 'updateMany', 'updateOne', 'replaceOne', 'deleteMany', 'bulkWrite']);
const READS = new Set(['find', 'findOne', 'aggregate', 'distinct', 'countDocuments']);
const COLLECTIONS = ['jobs', 'results', 'workers', 'stats', 'quarantine'] as const;

/** What happens before each command of a call: it may wait, or end the call by throwing. */
type Before = (kind: 'read' | 'write') => Promise<void> | void;

/** A context whose commands are preceded by something. */
function hooked({ link, time }: Pick<TestStore, 'link' | 'time'>, before: Before) {
  const wrap = <T extends object>(collection: T): T =>
    new Proxy(collection, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name);
        if (typeof found !== 'function') return found;
        const call = (given: unknown[]): unknown => Reflect.apply(found, target, given);
        const key = String(name);
        if (key === 'find' || key === 'aggregate') {
          return (...given: unknown[]) => ({
            toArray: async () => {
              await before('read');
              return (call(given) as { toArray(): Promise<unknown> }).toArray();
            },
          });
        }
        if (!WRITES.has(key) && !READS.has(key)) return call;
        return async (...given: unknown[]) => {
          await before(WRITES.has(key) ? 'write' : 'read');
          return call(given);
        };
      },
    });
  return <T>(act: (context: Context) => Promise<T>): Promise<T> =>
    link.run((collections) => {
      const wrapped = Object.fromEntries(COLLECTIONS.map((name) => [name, wrap(collections[name])]));
      return act({ ...(wrapped as unknown as Collections), ...OPTIONS, time });
    });
}

/** Does something in a process that ends after `writes` writes. Returns whether it came so far. */
export async function crashAfter(
  writes: number,
  opened: Pick<TestStore, 'link' | 'time'>,
  act: (context: Context) => Promise<unknown>,
): Promise<boolean> {
  const end = new StoreUnavailableError('the process has ended');
  let left = writes;
  const run = hooked(opened, (kind) => {
    if (left < 0 || (kind === 'write' && left-- === 0)) throw end;
  });
  try {
    await run(act);
    return false;
  } catch (error) {
    if (error !== end) throw error;
    return true;
  }
}

/** Does something, with `before` called with each command's number (0, 1, …) right before it. */
export async function stepped<T>(
  opened: Pick<TestStore, 'link' | 'time'>,
  act: (context: Context) => Promise<T>,
  before: (command: number) => Promise<void>,
): Promise<T> {
  let command = 0;
  return hooked(opened, () => before(command++))(act);
}

interface Interruption {
  act(context: Context): Promise<unknown>;
  other(): Promise<unknown>;
  /** What comes before the command after that, should there be one. */
  then?(): void;
}

/** Does something, and something else right before its command number `commands`. Returns whether it came so far. */
export async function interrupted(
  commands: number,
  opened: Pick<TestStore, 'link' | 'time'>,
  { act, other, then }: Interruption,
): Promise<boolean> {
  let left = commands;
  let happened = false;
  const run = hooked(opened, async () => {
    if (left-- === -1) then?.();
    if (left !== -1) return;
    happened = true;
    await other();
  });
  await run(act);
  return happened;
}
