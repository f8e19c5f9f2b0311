import type { Transport } from '../control/transport.ts';
import { PORTS } from '../plan/desired/names.ts';
import type { KubeObject, Pod } from '../plan/kube.ts';
import type { CreationReading, ProbeReading, Reading, Role } from '../plan/observed.ts';
import { componentOf, isReady, podsOf, timeOf } from '../plan/pods.ts';
import type { Clock } from '../runtime/clock.ts';
import { type CreationFailure, readCreationFailure } from './creation-failures.ts';
import type { EndpointClient } from './endpoint-client.ts';
import { Poll } from './poll.ts';

export interface PodReadingsOptions {
  readonly transport: Transport;
  readonly client: EndpointClient;
  readonly clock: Clock;
  /** Something has answered otherwise than before. */
  readonly onNews: () => void;
  /** Does a bounded number of questions at once. */
  readonly ask: <T>(work: () => Promise<T>) => Promise<T>;
  /** Where pods answer probes. Default: that of the service. */
  readonly adminPort?: number;
}

const ROLES: readonly Role[] = ['endpoint', 'worker'];
/** So many pods of a role are asked why they are not ready: mostly it is the same reason. */
const MAX_PODS = 3;
const EVERY_MS = 3_000;
const FAILING_MS = 15_000;
const EVENTS_MS = 10_000;

/** Why pods of one HashCluster are not ready, or are not there: asked only while that is so. */
export class PodReadings {
  readonly #options: PodReadingsOptions;
  /** By the uid of the pod, and of the StatefulSet. */
  readonly #probes = new Map<string, Poll<Readonly<Record<string, string>>>>();
  readonly #creations = new Map<string, Poll<CreationFailure | null>>();

  constructor(options: PodReadingsOptions) {
    this.#options = options;
  }

  /** What the readiness probes of endpoints and workers say that run, and are not ready. */
  probes(pods: readonly Pod[]): ProbeReading[] {
    const unready = ROLES.flatMap((component) =>
      podsOf({ pods }, component)
        .filter((pod) => !isReady(pod) && pod.status?.phase === 'Running' && pod.status.podIP !== undefined)
        .sort(byName)
        .slice(0, MAX_PODS)
        .map((pod) => ({ component, pod })),
    );
    keepOnly(
      this.#probes,
      unready.map(({ pod }) => pod),
    );
    return unready.flatMap(({ component, pod }) => {
      const poll = pollOf(this.#probes, pod, () => this.#probePoll(pod.status?.podIP ?? ''));
      const checks = poll.read();
      return checks === null ? [] : [{ component, pod: pod.metadata.name, checks }];
    });
  }

  /** Why StatefulSets with fewer pods than they should have could not create them. */
  creationFailures(children: readonly KubeObject[], pods: readonly Pod[]): CreationReading[] {
    const lacking = children
      .filter((child): child is StatefulSet => child.kind === 'StatefulSet')
      .map((set) => ({ set, component: serverOf(set) }))
      .filter(({ set, component }) => podsIn(pods, component).length < (set.spec?.replicas ?? 1));
    keepOnly(
      this.#creations,
      lacking.map(({ set }) => set),
    );
    return lacking.flatMap(({ set, component }) => {
      const reading = pollOf(this.#creations, set, () => this.#creationPoll(set)).read();
      return reading === null ? [] : [{ component, failure: sinceNewest(reading, podsIn(pods, component)) }];
    });
  }

  #probePoll(ip: string): Poll<Readonly<Record<string, string>>> {
    const { client, adminPort = PORTS.admin } = this.#options;
    const origin = `http://${ip.includes(':') ? `[${ip}]` : ip}:${adminPort}`;
    return this.#poll(() => client.failingChecks(origin), EVERY_MS);
  }

  #creationPoll(set: KubeObject): Poll<CreationFailure | null> {
    return this.#poll(() => readCreationFailure(this.#options.transport, set), EVENTS_MS);
  }

  #poll<T>(ask: () => Promise<T>, everyMs: number): Poll<T> {
    const { clock, onNews } = this.#options;
    return new Poll<T>({
      ...{ clock, onNews, failingMs: FAILING_MS, everyMs: () => everyMs },
      ask: () => this.#options.ask(ask),
    });
  }
}

interface StatefulSet extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

function serverOf({ metadata }: KubeObject): 'mongodb' | 'kafka' {
  return metadata.labels?.['app.kubernetes.io/component'] === 'kafka' ? 'kafka' : 'mongodb';
}

/** Pods that are there, those that leave included: they have been created. */
function podsIn(pods: readonly Pod[], component: 'mongodb' | 'kafka'): Pod[] {
  return pods.filter((pod) => componentOf(pod) === component);
}

/** A failure is over once a pod could be created. */
function sinceNewest(reading: Reading<CreationFailure | null>, pods: readonly Pod[]): Reading<string | null> {
  if ('error' in reading) return reading;
  const { at, value } = reading;
  const newest = Math.max(...pods.map(({ metadata }) => timeOf(metadata.creationTimestamp) ?? 0));
  return { at, value: value === null || value.at < newest ? null : value.message };
}

function byName(a: Pod, b: Pod): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

function keepOnly(polls: Map<string, unknown>, objects: readonly KubeObject[]): void {
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  for (const uid of polls.keys()) if (!uids.has(uid)) polls.delete(uid);
}

function pollOf<T>(polls: Map<string, Poll<T>>, { metadata }: KubeObject, make: () => Poll<T>): Poll<T> {
  const { uid = '' } = metadata;
  const poll = polls.get(uid) ?? make();
  polls.set(uid, poll);
  return poll;
}
