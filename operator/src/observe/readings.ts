import type { HashCluster } from '../api/hash-cluster.ts';
import type { Transport } from '../control/transport.ts';
import { credentialsName, hostsOf, MONGO_SET, ordinalOf, PORTS } from '../plan/desired/names.ts';
import type { KubeObject, Pod } from '../plan/kube.ts';
import { expectedSet } from '../plan/mongo-set.ts';
import type {
  ClusterReport,
  EndpointReading,
  MongoReport,
  Reading,
  Readings,
  WorkerReport,
} from '../plan/observed.ts';
import { componentOf, isLeaving, isReady, podsOf } from '../plan/pods.ts';
import type { Clock } from '../runtime/clock.ts';
import type { MongoServers } from '../servers/mongodb.ts';
import { EndpointClient } from './endpoint-client.ts';
import { kafkaReading } from './kafka-reading.ts';
import { PodReadings } from './pod-readings.ts';
import { Poll } from './poll.ts';
import type { Secrets } from './secrets.ts';
import { Slots } from './slots.ts';
import { UsageBook } from './usage.ts';

export interface ReadingsOptions {
  readonly transport: Transport;
  readonly namespaces: readonly (string | undefined)[];
  readonly secrets: Secrets;
  readonly mongo: MongoServers;
  readonly clusterDomain: string;
  /** Something has answered otherwise than before. Key: `namespace/name`. */
  readonly onNews: (key: string) => void;
  readonly clock: Clock;
}

/** What one endpoint says at one time. */
interface EndpointWord {
  readonly cluster: ClusterReport;
  readonly workers: readonly WorkerReport[];
}

/** So many endpoints are asked: they all say the same, unless some of them are cut off. */
const MAX_ENDPOINTS = 5;
const ENDPOINT_MS = 3_000;
const SERVER_MS = 30_000;
/** While a server is being set up. */
const UNSETTLED_MS = 3_000;
const FAILING_MS = 30_000;
/** Questions under way at once. */
const MAX_QUESTIONS = 256;

/** The polls of one HashCluster. */
interface Desk {
  /** By the pod's uid. */
  readonly endpoints: Map<string, Poll<EndpointWord>>;
  mongo: Poll<MongoReport> | null;
  readonly podReadings: PodReadings;
  /** The HashCluster as it is now. */
  cluster: HashCluster;
  pods: readonly Pod[];
  children: readonly KubeObject[];
  /** The state of MongoDB's pods as text. */
  mongoPods: string;
}

/** Live objects of one HashCluster. */
export interface Live {
  readonly pods: readonly Pod[];
  readonly children: readonly KubeObject[];
}

/** What running parts say of themselves, asked for again and again, as long as somebody wants to know. */
export class ReadingsBook {
  readonly #options: ReadingsOptions;
  readonly #desks = new Map<string, Desk>();
  readonly #endpoints = new EndpointClient();
  readonly #slots = new Slots(MAX_QUESTIONS);
  readonly #usage: UsageBook;
  #stopped = false;

  constructor(options: ReadingsOptions) {
    this.#options = options;
    this.#usage = new UsageBook(options);
  }

  /** What was last heard. What is due is asked anew meanwhile. */
  of(cluster: HashCluster, { pods, children }: Live, hasMetrics: boolean): Readings {
    const desk = this.#deskOf(cluster, pods, children);
    const { namespace } = cluster.metadata;
    const endpoints = this.#endpointReadings(desk);
    return {
      usage: hasMetrics ? this.#usage.of(namespace, pods) : null,
      endpoints,
      mongo: this.#mongo(desk),
      // The disks of others are theirs to watch.
      kafka: cluster.spec.kafka.managed ? kafkaReading(endpoints) : null,
      probes: desk.podReadings.probes(pods),
      creations: desk.podReadings.creationFailures(children, pods),
    };
  }

  /** MongoDB is not as it was: it is asked again as soon as somebody wants to know. */
  expireMongo(key: string): void {
    this.#desks.get(key)?.mongo?.expire();
  }

  /** The HashCluster is gone. */
  forget(key: string): void {
    this.#desks.delete(key);
  }

  /** Closes connections; what is asked of MongoDB ends by its own bounds. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#desks.clear();
    this.#endpoints.stop();
  }

  #deskOf(cluster: HashCluster, pods: readonly Pod[], children: readonly KubeObject[]): Desk {
    const key = keyOf(cluster);
    const known = this.#desks.get(key);
    const mongoPods = gistOf(pods);
    const desk = known ?? {
      ...{ endpoints: new Map(), mongo: null, cluster, pods, children, mongoPods },
      podReadings: this.#podReadings(key),
    };
    // What was heard before a pod came, went, or became ready is not true any more.
    if (desk.mongoPods !== mongoPods) desk.mongo?.outdate();
    Object.assign(desk, { cluster, pods, children, mongoPods });
    this.#desks.set(key, desk);
    return desk;
  }

  #podReadings(key: string): PodReadings {
    const { transport, clock } = this.#options;
    return new PodReadings({
      ...{ transport, clock, client: this.#endpoints, onNews: () => this.#tell(key) },
      ask: (work) => this.#slots.run(work),
    });
  }

  #tell(key: string): void {
    if (!this.#stopped) this.#options.onNews(key);
  }

  #poll<T>(
    desk: Desk,
    own: {
      readonly ask: () => Promise<T>;
      readonly everyMs: (value: T) => number;
      readonly gist: (value: T) => unknown;
    },
  ): Poll<T> {
    const { clock } = this.#options;
    return new Poll<T>({
      ...own,
      ...{ clock, failingMs: FAILING_MS },
      ask: () => this.#slots.run(own.ask),
      onNews: () => this.#tell(keyOf(desk.cluster)),
    });
  }

  #endpointReadings(desk: Desk): EndpointReading[] {
    const pods = podsOf(desk, 'endpoint')
      .filter((pod) => isReady(pod) && pod.status?.podIP !== undefined)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .slice(0, MAX_ENDPOINTS);
    const asked = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const uid of desk.endpoints.keys()) if (!asked.has(uid)) desk.endpoints.delete(uid);
    return pods.flatMap(({ metadata: { name, uid = '' }, status }) => {
      const poll = desk.endpoints.get(uid) ?? this.#endpointPoll(desk, status?.podIP ?? '');
      desk.endpoints.set(uid, poll);
      const reading = poll.read();
      return reading === null ? [] : [{ pod: name, ...split(reading) }];
    });
  }

  #endpointPoll(desk: Desk, ip: string): Poll<EndpointWord> {
    const origin = `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.http}`;
    return this.#poll<EndpointWord>(desk, {
      everyMs: () => ENDPOINT_MS,
      ask: async () => ({
        cluster: await this.#endpoints.cluster(origin),
        workers: await this.#endpoints.workers(origin),
      }),
      gist: ({ cluster: { workers, backlog }, workers: rows }) => [
        ...[workers, backlog.seconds === null ? null : Math.round(backlog.seconds)],
        rows.map(({ id, state, jobs }) => [id, state, jobs > 0]),
      ],
    });
  }

  #mongo(desk: Desk): Reading<MongoReport> | null {
    if (!desk.cluster.spec.mongodb.managed || !runs(desk)) return null;
    desk.mongo ??= this.#poll<MongoReport>(desk, {
      everyMs: (report) => (isSettled(report) ? SERVER_MS : UNSETTLED_MS),
      ask: async () => {
        const { namespace } = desk.cluster.metadata;
        const name = credentialsName(desk.cluster, 'mongodb');
        const keyfile = await this.#options.secrets.value(namespace, name, 'keyfile');
        const hosts = this.#hosts(desk);
        const setId = expectedSet(desk.cluster, desk.children);
        return this.#options.mongo.report({ setName: MONGO_SET, setId, hosts, keyfile });
      },
      gist: ({ disks: _grow, ...rest }) => rest,
    });
    return desk.mongo.read();
  }

  /** Of all members that there are, whatever their ordinals and however many there should be. */
  #hosts({ cluster, pods }: Desk): string[] {
    const domain = this.#options.clusterDomain;
    const ordinals = podsOf({ pods }, 'mongodb').flatMap(({ metadata }) => ordinalOf(metadata.name) ?? []);
    return hostsOf(cluster, 'mongodb', { ordinals, port: PORTS.mongodb, domain });
  }
}

function keyOf({ metadata: { namespace, name } }: HashCluster): string {
  return `${namespace}/${name}`;
}

/** Pods of MongoDB, without what says nothing about its members. */
function gistOf(pods: readonly Pod[]): string {
  const own = pods.filter((pod) => componentOf(pod) === 'mongodb');
  const gists = own.map((pod) => [pod.metadata.uid, isLeaving(pod), isReady(pod), pod.status?.phase]);
  return JSON.stringify(gists.sort());
}

/** Whether there is a MongoDB to ask. */
function runs(desk: Desk): boolean {
  return podsOf(desk, 'mongodb').some(({ status }) => status?.phase === 'Running');
}

function isSettled({ primary, users, members }: MongoReport): boolean {
  return primary !== null && (users?.length ?? 0) > 0 && members.every(({ healthy }) => healthy);
}

function split(reading: Reading<EndpointWord>): Pick<EndpointReading, 'cluster' | 'workers'> {
  if ('error' in reading) return { cluster: reading, workers: reading };
  const { at, value } = reading;
  return { cluster: { at, value: value.cluster }, workers: { at, value: value.workers } };
}
