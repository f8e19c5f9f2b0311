import type { KubeObject } from '../plan/kube.ts';
import { jittered, pause } from './backoff.ts';
import { listPages, type Selection } from './lister.ts';
import type { Store } from './store.ts';
import type { Transport } from './transport.ts';

export interface AuditOptions extends Selection {
  readonly transport: Transport;
  readonly store: Pick<Store<KubeObject>, 'get' | 'all'>;
  readonly pageSize: number;
  /** From one audit to the next, in milliseconds, give or take a fifth. */
  readonly auditMs: number;
  /** How long a watch may take to tell what a list has shown, in milliseconds. */
  readonly auditGraceMs: number;
  /** The store seems to have missed something: only a new list can say for sure. */
  readonly onSuspicion: () => void;
  readonly onTrouble: (error: unknown) => void;
  readonly random: () => number;
}

interface Seen {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Whether resource version `a` is older than `b`. Source: KEP-5504, resource versions are comparable numbers. */
function older(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

/** Compares a store with lists from time to time: a watch that lost an event would otherwise never be found out. */
export class Audit {
  readonly #options: AuditOptions;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { auditMs, random, onTrouble } = this.#options;
    for (;;) {
      await pause(jittered(auditMs, 1 / 5, random), signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#once(signal).catch((error: unknown) => {
        if (!signal.aborted) onTrouble(error);
      });
    }
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { transport, pageSize, store, auditGraceMs, onSuspicion } = this.#options;
    const before = new Set(store.all().map(({ metadata }) => metadata.uid ?? ''));
    const seen: Seen[] = [];
    for await (const { items } of listPages(transport, this.#options, { limit: pageSize, signal })) {
      seen.push(...items.map(({ metadata }) => seenOf(metadata)));
    }
    if (!this.#suspect(seen, before)) return;
    await pause(auditGraceMs, signal);
    if (this.#suspect(seen, before)) onSuspicion();
  }

  /** Whether the store lacks what was seen, has it older, or still has what was there before and was not seen. */
  #suspect(seen: readonly Seen[], before: ReadonlySet<string>): boolean {
    const { store } = this.#options;
    const uids = new Set(seen.map(({ uid }) => uid));
    return (
      seen.some(({ namespace, name, uid, resourceVersion }) => {
        const own = store.get(namespace, name)?.metadata;
        return own?.uid !== uid || older(own.resourceVersion ?? '', resourceVersion);
      }) || store.all().some(({ metadata: { uid = '' } }) => before.has(uid) && !uids.has(uid))
    );
  }
}

function seenOf({ namespace = '', name, uid = '', resourceVersion = '' }: KubeObject['metadata']): Seen {
  return { namespace, name, uid, resourceVersion };
}
