import { randomBytes } from 'node:crypto';
import type { ObjectRef } from '../plan/kube.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { isNotFound } from './errors.ts';
import { microTime } from './lease.ts';
import { collectionPath, objectPath } from './resources.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Transport } from './transport.ts';

/** Something to tell people about an object. */
export interface Happening {
  readonly regarding: ObjectRef;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  /** What was done or tried, one word in CamelCase. */
  readonly action: string;
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly transport: Transport;
  /** This program, such as `hashcluster.io/operator`, and this process. */
  readonly controller: string;
  readonly instance: string;
  /** Events that could not be written: nobody waits for them. `dropped` counts those that were never tried. */
  readonly onTrouble: (trouble: { readonly error: unknown } | { readonly dropped: Happening }) => void;
  /** Counts are written after so many milliseconds, for all that have come meanwhile. */
  readonly countMs?: number;
  readonly clock?: Clock;
}

/** An event that may come again. */
interface Series {
  readonly happening: Happening;
  readonly name: string;
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** The count that the server has; 0: it does not have the event. */
  written: number;
}

const KIND = { apiVersion: 'events.k8s.io/v1', kind: 'Event' };
/** Equal events within this time are one series. Source: Kubernetes, KEP-383. */
const SERIES_MS = 6 * 60_000;
const COUNT_MS = 10_000;
const MAX_SERIES = 4_096;
/** New events of one object: 25 at once, then one in 30 seconds. */
const PER_OBJECT = { perSecond: 1 / 30, burst: 25 };
const MAX_NOTE = 1_024;
const REQUEST_MS = 5_000;

/**
 * Writes Events. Equal ones become one with a count; one object cannot flood the others; and as nothing depends on
 * Events, recording neither waits nor fails: what goes wrong is told to `onTrouble`.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Something is to be written that a pass under way may have gone by. */
  #asked = false;
  #stopped = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  record(happening: Happening): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    const key = keyOf(happening);
    const series = this.#series.get(key);
    if (series && now - series.lastAt < SERIES_MS) {
      series.lastAt = now;
      series.count++;
      this.#timer ??= setTimeout(() => this.#send(), this.#options.countMs ?? COUNT_MS);
      return;
    }
    if (!this.#mayStart(happening)) {
      this.#options.onTrouble({ dropped: happening });
      return;
    }
    // A name is a prefix that people recognise, and what makes it unique.
    const name = `${happening.regarding.name.slice(0, 200)}.${randomBytes(8).toString('hex')}`;
    this.#series.delete(key);
    this.#series.set(key, { happening, name, firstAt: now, lastAt: now, count: 1, written: 0 });
    this.#forgetOldest();
    this.#send();
  }

  /** Writes what has not been written yet, once. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      await this.#sending;
      this.#send();
    }
    await this.#sending;
  }

  #mayStart({ regarding }: Happening): boolean {
    const key = regarding.uid ?? `${regarding.kind}/${regarding.namespace}/${regarding.name}`;
    const bucket = this.#buckets.get(key) ?? new TokenBucket({ ...PER_OBJECT, clock: this.#clock });
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    return bucket.tryTake();
  }

  #forgetOldest(): void {
    for (const map of [this.#series, this.#buckets] as Map<string, unknown>[]) {
      if (map.size > MAX_SERIES) map.delete(map.keys().next().value ?? '');
    }
  }

  /** One after the other, so that events never take the connections that work needs. */
  #send(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#asked = true;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#asked) {
      this.#asked = false;
      await this.#pass();
    }
  }

  async #pass(): Promise<void> {
    for (const [key, series] of this.#series) {
      const { count } = series;
      if (series.written === count) continue;
      try {
        await (series.written === 0 ? this.#create(series) : this.#update(series));
        series.written = count;
      } catch (error) {
        this.#series.delete(key);
        if (!isNotFound(error) || series.written === 0) this.#options.onTrouble({ error });
      }
    }
  }

  async #create({ happening, name, firstAt }: Series): Promise<void> {
    const { transport, controller, instance } = this.#options;
    const { regarding, type, reason, action, note } = happening;
    const { namespace } = regarding;
    const body = {
      ...KIND,
      metadata: { namespace, name },
      ...{ eventTime: microTime(firstAt), type, reason, action, note: note.slice(0, MAX_NOTE), regarding },
      reportingController: controller,
      reportingInstance: instance,
    };
    const path = collectionPath(KIND, namespace);
    await transport.request({ method: 'POST', path, body, timeoutMs: REQUEST_MS });
  }

  async #update({ happening, name, lastAt, count }: Series): Promise<void> {
    const { namespace } = happening.regarding;
    await this.#options.transport.request({
      method: 'PATCH',
      path: objectPath({ ...KIND, namespace, name }),
      contentType: 'application/merge-patch+json',
      body: { series: { count, lastObservedTime: microTime(lastAt) } },
      timeoutMs: REQUEST_MS,
      again: 'always',
    });
  }
}

function keyOf({ regarding, type, reason, action, note }: Happening): string {
  const { kind, namespace, name, uid = '' } = regarding;
  return [kind, namespace, name, uid, type, reason, action, note].join('\0');
}
