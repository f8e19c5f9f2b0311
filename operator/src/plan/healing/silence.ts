import type { Pod } from '../kube.ts';
import { fresh, type EndpointReading, type Observed, type WorkerReport } from '../observed.ts';
import { conditionOf, isReady, podsOf, timeOf } from '../pods.ts';
import type { Patient } from './healing-plan.ts';

/** An endpoint's word older than this is not believed. */
const VALID_MS = 20_000;
/** Workers speak every 2 s; a silence shorter than this says nothing. */
const SHORT_MS = 15_000;

/** Who hears whom. */
export interface Hearing {
  readonly patients: readonly Patient[];
  /** No worker at all is heard, so that the bus is to blame, or the endpoints, rather than a worker. */
  readonly isDeaf: boolean;
}

/**
 * Workers that are well by their own word, and are not heard by any endpoint: cut off from the bus. Only endpoints count
 * that have been ready for as long as a worker may be silent; without one nothing is known.
 */
export function hear(observed: Observed): Hearing {
  const { silentSeconds } = observed.cluster.spec.healing;
  const views = viewsOf(observed, silentSeconds * 1000);
  if (views.length === 0) return { patients: [], isDeaf: false };
  const workers = podsOf(observed, 'worker').filter(isReady);
  const silent = workers
    .map((pod) => ({ pod, ms: Math.min(...views.map((view) => silenceOf(pod, view, observed.now))) }))
    .filter(({ ms }) => ms >= SHORT_MS);
  const patients = silent.map(({ pod, ms }): Patient => {
    const isDue = ms >= silentSeconds * 1000;
    const says = 'is ready, but no endpoint hears it: it is cut off from Kafka';
    return {
      component: 'worker',
      pod,
      illness: 'CutOff',
      since: observed.now - ms,
      isDue,
      isCurable: true,
      startFailure: null,
      says,
    };
  });
  return { patients, isDeaf: workers.length > 0 && silent.length === workers.length };
}

interface View {
  readonly rows: ReadonlyMap<string, WorkerReport>;
  /** When the endpoint last heard a worker that lives, by its own clock; now, when none does. */
  readonly clock: number;
  /** Since when it listens, by the API server's clock. */
  readonly since: number;
}

function viewsOf(observed: Observed, minMs: number): View[] {
  const ready = new Map(
    podsOf(observed, 'endpoint')
      .filter(isReady)
      .map((pod) => [pod.metadata.name, readySince(pod)]),
  );
  return observed.readings.endpoints.flatMap((reading) => {
    const since = ready.get(reading.pod) ?? Infinity;
    return observed.now - since >= minMs ? viewOf(reading, since, observed.now) : [];
  });
}

function viewOf({ workers }: EndpointReading, since: number, now: number): View[] {
  const rows = fresh(workers, now, VALID_MS);
  if (rows === null) return [];
  const live = rows.filter(({ state }) => state !== 'dead').map(({ lastSeen }) => timeOf(lastSeen) ?? 0);
  const clock = live.length > 0 ? Math.max(...live) : now;
  return [{ rows: new Map(rows.map((row) => [row.host, row])), clock, since }];
}

/** Milliseconds; 0: it is heard. Measured between what one endpoint heard, since clocks of different nodes may differ. */
function silenceOf(pod: Pod, { rows, clock, since }: View, now: number): number {
  const row = rows.get(pod.metadata.name);
  if (row && row.state !== 'dead') return 0;
  const sinceBoth = now - Math.max(since, readySince(pod));
  return row ? Math.min(sinceBoth, clock - (timeOf(row.lastSeen) ?? clock)) : Math.max(0, sinceBoth);
}

function readySince(pod: Pod): number {
  return timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime) ?? Infinity;
}
