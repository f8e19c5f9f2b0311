import type { KubeObject } from '../plan/kube.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { Audit } from './audit.ts';
import { type Backoff, backoffMs, jittered, pause } from './backoff.ts';
import { isExpired } from './errors.ts';
import { listPages, queryOf, type Selection } from './lister.ts';
import { collectionPath } from './resources.ts';
import { keyOf, type Store, type StoreChange } from './store.ts';
import type { Transport } from './transport.ts';
import { watchEvents, type WatchEvent, WatchLineError } from './watch-events.ts';

/** Where something went wrong. `handler`: the change is in the store, but who was told of it failed. */
export type Phase = 'list' | 'watch' | 'audit' | 'handler';

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly transport: Transport;
  readonly store: Store<T>;
  /** What is kept of an object. Default: all but `managedFields`. Must keep name, namespace, uid and resource version. */
  readonly keep?: (object: KubeObject) => T;
  /** Told of each change after the store has it. Must be quick. */
  readonly onChange: (change: StoreChange<T>) => void;
  /** Told of everything that goes wrong; the reflector goes on by itself. */
  readonly onTrouble: (phase: Phase, error: unknown) => void;
  /** Told when an audit has found changes of which no watch had told. */
  readonly onMissed?: (changes: number) => void;
  readonly pageSize?: number;
  /** A watch in which nothing comes for so long, not even a bookmark (one a minute), is cut, in milliseconds. */
  readonly idleMs?: number;
  /** From one audit to the next, in milliseconds, give or take a fifth. */
  readonly auditMs?: number;
  /** How long a watch may take to tell what a list has shown, in milliseconds. */
  readonly auditGraceMs?: number;
  readonly backoff?: Backoff;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const DEFAULTS = {
  // A page is held whole, as text and as objects; clients that are not short of memory ask for 500.
  pageSize: 100,
  idleMs: 90_000,
  auditMs: 600_000,
  auditGraceMs: 5_000,
  backoff: { baseMs: 200, capMs: 5_000 },
};
/** How long the server keeps a watch open, in seconds: 5 to 10 minutes, so that not all end at once. */
const WATCH_SECONDS = { mean: 450, share: 1 / 3 };
/** A watch that fails later than this has worked. */
const SHORT_WATCH_MS = 1_000;

/** Without `managedFields`, which are as large as the rest and which nobody reads. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _dropped, ...metadata } = object.metadata as KubeObject['metadata'] & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}

/**
 * Keeps a store equal to what the API server has: one list, then watches, one after the other. Whatever breaks a watch
 * (its end, a lost or silent connection, an error by status or event, history that is gone, nonsense) starts the next
 * one, where possible from where the last one was. Audits compare the store with a list from time to time.
 * Sources: Kubernetes documentation, "API concepts" (watches, bookmarks, 410 Gone).
 */
export class Reflector<T extends KubeObject> {
  readonly name: string;
  readonly #options: ReflectorOptions<T> & typeof DEFAULTS;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** In a row: of lists, and of watches that ended soon and told nothing. */
  #failures = 0;
  readonly #synced = Promise.withResolvers<undefined>();
  #running: { readonly stop: AbortController; readonly done: Promise<unknown> } | null = null;
  #hasSynced = false;
  /** Null: a list is needed. */
  #resourceVersion: string | null = null;
  #heardAt: number;
  /** True from an audit's suspicion until the list that it asked for. */
  #suspicious = false;
  #cutWatch: () => void = () => undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = { ...DEFAULTS, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#heardAt = this.#clock.monotonic();
    this.name = `${options.kind.kind}${options.namespace === undefined ? '' : ` in ${options.namespace}`}`;
  }

  /** True once the store has had everything. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves once the store has had everything. */
  get synced(): Promise<unknown> {
    return this.#synced.promise;
  }

  /** Milliseconds since the server last said anything. */
  get silentMs(): number {
    return this.#clock.monotonic() - this.#heardAt;
  }

  /** Idempotent. */
  start(): void {
    if (this.#running) return;
    const stop = new AbortController();
    const audit = new Audit({
      ...this.#options,
      random: this.#random,
      onSuspicion: () => this.#relist(),
      onTrouble: (error) => this.#options.onTrouble('audit', error),
    });
    const done = Promise.all([this.#run(stop.signal), audit.run(stop.signal)]);
    this.#running = { stop, done };
  }

  /** The store stays as it is. Idempotent; `start` may follow. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.stop.abort(new Error('The reflector has stopped'));
    await running?.done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const phase = this.#resourceVersion === null ? 'list' : 'watch';
      try {
        if (phase === 'list') await this.#list(signal);
        else await this.#watch(signal);
      } catch (error) {
        await this.#recover(phase, error, signal);
      }
    }
  }

  async #recover(phase: Phase, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    // A line that makes no sense twice would do so for ever: the list has the object in another form.
    const hopeless = error instanceof WatchLineError && this.#failures > 0;
    if (isExpired(error) || hopeless) this.#resourceVersion = null;
    this.#options.onTrouble(phase, error);
    const waitMs = backoffMs(this.#failures++, this.#options.backoff, this.#random);
    await pause(waitMs, signal).catch(() => undefined);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { transport, pageSize, store, onMissed } = this.#options;
    const objects: T[] = [];
    let resourceVersion = '';
    for await (const page of listPages(transport, this.#options, { limit: pageSize, signal })) {
      objects.push(...page.items.map((item) => this.#keep(item)));
      resourceVersion = page.resourceVersion;
    }
    this.#heard();
    const changes = store.replace(objects);
    this.#resourceVersion = resourceVersion;
    this.#tell(changes);
    if (this.#suspicious && changes.length > 0) onMissed?.(changes.length);
    this.#suspicious = false;
    this.#hasSynced = true;
    this.#synced.resolve(undefined);
  }

  /** Until the watch ends. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { transport, kind, namespace, idleMs } = this.#options;
    const begun = this.#clock.monotonic();
    const stream = await transport.stream({
      method: 'GET',
      path: collectionPath(kind, namespace),
      query: {
        ...queryOf(this.#options),
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: this.#resourceVersion ?? '',
        timeoutSeconds: Math.round(jittered(WATCH_SECONDS.mean, WATCH_SECONDS.share, this.#random)),
      },
      signal,
    });
    this.#cutWatch = stream.close;
    if (this.#listAsked() || signal.aborted) {
      stream.close();
      return;
    }
    signal.addEventListener('abort', stream.close);
    let worked = false;
    try {
      for await (const event of watchEvents(stream.body, idleMs)) {
        worked = true;
        this.#take(event);
      }
    } catch (error) {
      if (!this.#listAsked()) throw error;
    } finally {
      signal.removeEventListener('abort', stream.close);
      worked ||= this.#clock.monotonic() - begun >= SHORT_WATCH_MS;
      if (worked) this.#failures = 0;
    }
    if (!worked && !this.#listAsked()) throw new Error('the server ended the watch at once');
  }

  #take({ type, object: raw }: WatchEvent): void {
    this.#heard();
    if (type !== 'BOOKMARK') {
      const { store } = this.#options;
      const object = this.#keep(raw);
      this.#tell(type === 'DELETED' ? store.remove(keyOf(object), object) : store.put(object));
    }
    // An audit has asked for a list: what the old watch still tells must not undo that.
    if (!this.#suspicious) this.#resourceVersion = raw.metadata.resourceVersion ?? this.#resourceVersion;
  }

  #listAsked(): boolean {
    return this.#suspicious;
  }

  #relist(): void {
    this.#suspicious = true;
    this.#resourceVersion = null;
    this.#cutWatch();
  }

  #keep(object: KubeObject): T {
    const { keep } = this.#options;
    return keep ? keep(object) : (withoutManagedFields(object) as T);
  }

  #tell(changes: readonly StoreChange<T>[]): void {
    for (const change of changes) {
      try {
        this.#options.onChange(change);
      } catch (error) {
        this.#options.onTrouble('handler', error);
      }
    }
  }

  #heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }
}
