import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { collectionPath, objectPath, type Named } from '../control/resources.ts';
import { Transport } from '../control/transport.ts';
import { ApiProxy, type Faults } from './api-proxy.ts';
import { startApiServer, type ApiServer } from './api-server.ts';
import { installCrds } from './crds.ts';
import { FakeControllers } from './fake-controllers.ts';
import { FakeKafka, FakeMongo } from './fake-servers.ts';
import { HashClusters } from './hash-clusters.ts';
import { startOperator, type Surroundings, type TestOperator } from './operator.ts';
import type { ApiServerPrograms } from './settings.ts';
import { snapshot } from './snapshot.ts';

type Snapshot = Record<string, unknown>;

/** What takes seconds takes minutes on a machine that is busy with something else. */
const SETTLED_MS = 300_000;
/** For an answer to what a test asks: operators beside it have to do with less. */
const ANSWER_MS = 60_000;
const PAUSE_MS = 200;
/** Everything is looked at less often. */
const LOOK_AGAIN_MS = 500;
const FOLLOWED = ['Progressing=False'];
const SETTLED = [...FOLLOWED, 'Ready=True'];

/** A real API server with the CRD. */
export class Stage {
  readonly transport: Transport;
  readonly #server: ApiServer;
  readonly #scenes: Scene[] = [];

  private constructor(server: ApiServer) {
    this.#server = server;
    this.transport = new Transport({
      ...{ config: server.config, perSecond: 5_000, burst: 5_000 },
      ...{ timeoutMs: ANSWER_MS, retryBudgetMs: 2 * ANSWER_MS },
    });
  }

  static async open(programs: ApiServerPrograms): Promise<Stage> {
    const stage = new Stage(await startApiServer(programs));
    await installCrds(stage.transport);
    return stage;
  }

  /** A namespace of its own, with fakes of all that acts there, but the operator. */
  async scene(namespace: string): Promise<Scene> {
    const scene = new Scene(this.#server, this.transport, namespace);
    this.#scenes.push(scene);
    await scene.clusters.makeNamespace();
    scene.controllers.start();
    return scene;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const scene of this.#scenes.splice(0)) await scene.end();
    await this.transport.stop();
    await this.#server.stop();
  }
}

/** An operator, and what stands between it and the API server. */
export interface Actor {
  readonly proxy: ApiProxy;
  readonly operator: TestOperator;
  /** Rounds that have ended. */
  readonly rounds: () => number;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** One namespace. */
export class Scene {
  readonly namespace: string;
  readonly clusters: HashClusters;
  readonly controllers: FakeControllers;
  readonly mongo = new FakeMongo();
  readonly kafka = new FakeKafka();
  readonly #server: ApiServer;
  readonly #transport: Transport;
  readonly #actors: Actor[] = [];

  constructor(server: ApiServer, transport: Transport, namespace: string) {
    this.#server = server;
    this.#transport = transport;
    this.namespace = namespace;
    this.clusters = new HashClusters(transport, namespace);
    this.controllers = new FakeControllers(transport, namespace);
  }

  /** Starts an operator that can be harmed. */
  async operate(faults: Faults = {}, own: Pick<Surroundings, 'auditMs' | 'home'> = {}): Promise<Actor> {
    const proxy = await ApiProxy.start(this.#server, faults);
    const { namespace, mongo, kafka } = this;
    let rounds = 0;
    const onRound = (): void => void rounds++;
    const operator = await startOperator({
      ...{ config: proxy.config, namespace, mongo, kafka, onRound },
      ...own,
    });
    const stop = async (): Promise<void> => {
      await operator.stop();
      await proxy.stop();
    };
    const actor: Actor = { proxy, operator, rounds: () => rounds, stop };
    this.#actors.push(actor);
    return actor;
  }

  /** Somebody else changes an object by a merge patch, or (null) deletes it. */
  async meddle({ apiVersion, kind, name }: Omit<Named, 'namespace'>, patch: object | null): Promise<void> {
    const path = objectPath({ apiVersion, kind, name, namespace: this.namespace });
    const contentType = 'application/merge-patch+json';
    await this.#transport.request(
      patch === null ? { method: 'DELETE', path } : { method: 'PATCH', path, body: patch, contentType },
    );
  }

  snapshot(cluster: string): Promise<Snapshot> {
    return snapshot(this.#transport, { namespace: this.namespace, cluster });
  }

  /** What there is once the operator has done all that the spec asks for, and everybody has followed. */
  settled(cluster: string): Promise<Snapshot> {
    return this.#when(cluster, SETTLED);
  }

  /** What there is once the spec has been followed, also where that has led to a cluster that is not ready. */
  followed(cluster: string): Promise<Snapshot> {
    return this.#when(cluster, FOLLOWED);
  }

  async makeSecret(name: string): Promise<void> {
    const named = { apiVersion: 'v1', kind: 'Secret' };
    const path = collectionPath(named, this.namespace);
    const stringData = { uri: 'mongodb://a/', username: 'a', password: 'a', 'ca.crt': 'a' };
    await this.#transport.request({
      method: 'POST',
      path,
      body: { ...named, metadata: { name }, stringData },
    });
  }

  async #when(cluster: string, wanted: readonly string[]): Promise<Snapshot> {
    await until(() => this.#says(cluster, wanted));
    return this.snapshot(cluster);
  }

  async #says(cluster: string, wanted: readonly string[]): Promise<boolean> {
    const { metadata, status } = await this.clusters.get(cluster);
    const known = status?.conditions?.map(({ type, status: is }) => `${type}=${is}`) ?? [];
    return status?.observedGeneration === metadata.generation && wanted.every((one) => known.includes(one));
  }

  /** Waits until a cluster has settled as it should. Gives back what it is. */
  async becomes(cluster: string, expected: Snapshot): Promise<Snapshot> {
    let is: Snapshot = {};
    const isThere = await until(async () => {
      // Cheap to ask, and true soon before all the rest is.
      if (!(await this.#says(cluster, SETTLED))) return false;
      is = await this.snapshot(cluster);
      if (isDeepStrictEqual(is, expected)) return true;
      await pause(LOOK_AGAIN_MS);
      return false;
    });
    return isThere ? is : this.snapshot(cluster);
  }

  /** Stops what acts here. Idempotent. */
  async end(): Promise<void> {
    for (const actor of this.#actors.splice(0)) await actor.stop();
    await this.controllers.stop();
  }
}

/** Asks again and again; false when it has not become true in time. */
export async function until(condition: () => Promise<boolean>, withinMs = SETTLED_MS): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await condition()) return true;
    await pause(PAUSE_MS);
  }
  return false;
}
