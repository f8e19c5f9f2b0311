import { CLUSTER_SPEC, type ClusterSpec, type ClusterSpecInput } from '../../api/spec.ts';
import type { Action, ActionOf, CopiedKey, Plan, SecretPatch } from '../action.ts';
import { controllerOf, type KubeObject, type Pod } from '../kube.ts';
import type {
  LedgerEntry,
  MongoMember,
  MongoReport,
  Observed,
  OperatorDefaults,
  SecretFacts,
} from '../observed.ts';
import { expectedSet } from '../mongo-set.ts';
import { plan } from '../plan.ts';
import type { MongoModel } from './mongo-model.ts';
import { countsOf, isWorkload } from '../rollout.ts';
import { NOW, pod as podOf, scene, secretFacts } from './scene.ts';

type Fields = Record<string, unknown>;

function templateOf(workload: KubeObject): unknown {
  return (workload['spec'] as Fields)['template'];
}

/**
 * A cluster in which everything that is asked for comes about at once: it carries out actions, and does what Kubernetes'
 * controllers would. It knows nothing of how plans are made.
 */
export class World {
  now = NOW;
  #spec: ClusterSpec;
  generation = 1;
  deleted: number | null = null;
  readonly finalizers = new Set<string>();
  /** Of the HashCluster. */
  annotations: Readonly<Record<string, string>> = {};
  readonly children = new Map<string, KubeObject>();
  readonly secrets = new Map<string, SecretFacts>();
  readonly log: Action[] = [];
  readonly ledger: LedgerEntry[] = [];
  pods: Pod[] = [];
  status: Observed['cluster']['status'];
  defaults: OperatorDefaults = scene().defaults;
  mongo: { version: number; members: readonly MongoMember[] } | null = null;
  users: readonly string[] = [];
  /** Where it is given, MongoDB does as this does, with data on volumes. */
  data: MongoModel | null = null;
  gone = false;
  #uids = 0;
  #createdAt = NOW;

  constructor(spec: ClusterSpecInput = {}) {
    this.#spec = CLUSTER_SPEC.parse(spec);
  }

  change(spec: ClusterSpecInput): void {
    this.#spec = CLUSTER_SPEC.parse(spec);
    this.generation += 1;
  }

  observe(): Observed {
    const base = scene({
      children: [...this.children.values()],
      pods: this.pods,
      ledger: this.ledger,
    });
    return {
      ...base,
      ...{ now: this.now, viewAt: this.now, defaults: this.defaults, secrets: [...this.secrets.values()] },
      cluster: this.#cluster(),
      readings: {
        ...base.readings,
        mongo: this.#mongoReading(),
        kafka: { at: this.now, value: { brokers: [0, 1, 2], disks: [] } },
      },
    };
  }

  #cluster(): Observed['cluster'] {
    const base = scene().cluster;
    const { status } = this;
    return {
      ...base,
      spec: this.#spec,
      metadata: {
        ...base.metadata,
        ...{ generation: this.generation, finalizers: [...this.finalizers] },
        ...{ creationTimestamp: new Date(this.#createdAt).toISOString(), annotations: this.annotations },
        ...(this.deleted !== null && { deletionTimestamp: new Date(this.deleted).toISOString() }),
      },
      ...(status && { status }),
    };
  }

  /** Plans and carries out, until there is nothing to do. Throws when that takes too long. */
  settle(rounds = 40): void {
    for (let round = 0; round < rounds; round += 1) {
      if (this.step().actions.length === 0) return;
    }
    const last = this.log.slice(-5).map((action) => JSON.stringify(action).slice(0, 300));
    throw new Error(`It does not settle: ${last.join('\n')}`);
  }

  step(): Plan {
    const planned = plan(this.observe());
    for (const action of planned.actions) this.#carryOut(action);
    this.log.push(...planned.actions);
    this.#controllers();
    this.now += 1000;
    return planned;
  }

  child(kind: string, name: string): KubeObject {
    const found = this.children.get(`${kind}/${name}`);
    if (!found) throw new Error(`There is no ${kind} ${name}`);
    return found;
  }

  /** What somebody does behind the operator's back. */
  tamper(kind: string, name: string, change: (spec: Fields) => Fields): void {
    const found = this.child(kind, name);
    this.children.set(`${kind}/${name}`, { ...found, spec: change(found['spec'] as Fields) });
  }

  /** Children without what differs between one world and another. */
  shape(): Record<string, unknown> {
    return Object.fromEntries(
      [...this.children].map(([key, { metadata, spec, data }]) => [
        key,
        { labels: metadata.labels, annotations: metadata.annotations, spec, data },
      ]),
    );
  }

  #carryOut(action: Action): void {
    if (/mongo/i.test(action.kind)) return this.#carryOutOnMongo(action);
    // Kafka is nothing here but what Secrets say of it.
    if (/secret|kafka/i.test(action.kind)) return this.#carryOutOnSecrets(action);
    switch (action.kind) {
      case 'apply':
        return this.#apply(action.object);
      case 'delete':
        this.children.delete(`${action.ref.kind}/${action.ref.name}`);
        this.secrets.delete(action.ref.name);
        return;
      case 'scale':
        return this.#setSpec(`${action.ref.kind}/${action.ref.name}`, { replicas: action.replicas });
      case 'expandVolume': {
        const resources = { requests: { storage: action.storage } };
        return this.#setSpec(`PersistentVolumeClaim/${action.ref.name}`, { resources });
      }
      case 'evict':
        this.pods = this.pods.filter(({ metadata }) => metadata.uid !== action.ref.uid);
        return;
      case 'finalizer':
        if (action.change === 'add') this.finalizers.add('hashcluster.io/drain');
        else this.gone = true;
        return;
      case 'remember':
        this.ledger.push(action.entry);
        return;
      case 'status':
        this.status = action.status;
        return;
      default:
        this.#annotate(action);
    }
  }

  #carryOutOnSecrets(action: Action): void {
    if (action.kind === 'createSecret') this.#createSecret(action);
    if (action.kind === 'copySecret') this.#putSecret(action.object, this.#copied(action.from, action.keys));
    if (action.kind === 'patchSecret') this.#patchSecret(action);
    if (action.kind === 'rotateKafkaUsers') this.#patchSecret(action.applied);
    if (action.kind === 'dropKafkaUsers') this.#dropKafkaUsers(action);
  }

  #carryOutOnMongo(action: Action): void {
    this.data?.act(action);
    if (action.kind === 'initiateMongo') this.mongo = { version: 1, members: action.members };
    if (action.kind === 'reconfigureMongo') {
      this.mongo = { version: action.fromVersion + 1, members: action.members };
    }
    if (action.kind === 'ensureMongoUsers' || action.kind === 'rotateMongoUsers') {
      this.users = [...new Set([...this.users, ...action.users.map(({ name }) => name)])];
    }
    if (action.kind === 'rotateMongoUsers') this.#patchSecret(action.applied);
    if (action.kind === 'dropMongoUsers') {
      this.users = this.users.filter((name) => !action.names.includes(name));
    }
  }

  #dropKafkaUsers({ applied: { ref, annotations } }: ActionOf<'dropKafkaUsers'>): void {
    const before = this.secrets.get(ref.name)!;
    const kept = Object.entries(before.annotations).filter(([name]) => annotations[name] !== null);
    this.secrets.set(ref.name, { ...before, annotations: Object.fromEntries(kept) });
  }

  #createSecret({ object, keys }: ActionOf<'createSecret'>): void {
    const values = keys.map((key): [string, string] => [key.name, `${key.name} of ${this.now}`]);
    this.#putSecret(object, Object.fromEntries(values));
  }

  #putSecret(object: KubeObject, digests: Readonly<Record<string, string>>): void {
    const { name } = object.metadata;
    if (this.secrets.has(name)) return;
    this.secrets.set(
      name,
      secretFacts(name, {
        ...{ owner: controllerOf(object), keys: Object.keys(digests), digests },
        annotations: object.metadata.annotations ?? {},
      }),
    );
  }

  /** Values of one Secret by the keys of another one. */
  #copied(from: string, keys: readonly CopiedKey[]): Record<string, string> {
    const { digests } = this.secrets.get(from)!;
    return Object.fromEntries(keys.map((key) => [key.to, digests[key.from]!]));
  }

  #patchSecret({ ref, from, keys, annotations }: SecretPatch): void {
    const before = this.secrets.get(ref.name)!;
    const digests = { ...before.digests, ...this.#copied(from, keys) };
    this.secrets.set(ref.name, {
      ...before,
      ...{ digests, keys: Object.keys(digests), annotations: { ...before.annotations, ...annotations } },
    });
  }

  /** Somebody changes or (undefined) takes away a value of a Secret. */
  editSecret(name: string, key: string, value: string | undefined): void {
    const before = this.secrets.get(name)!;
    const { [key]: _, ...others } = before.digests;
    const digests = value === undefined ? others : { ...others, [key]: value };
    this.secrets.set(name, { ...before, digests, keys: Object.keys(digests) });
  }

  #apply(object: KubeObject): void {
    const key = `${object.kind}/${object.metadata.name}`;
    const before = this.children.get(key);
    const spec = (before?.['spec'] ?? {}) as Fields;
    const kept = isWorkload(object) ? { replicas: spec['replicas'] ?? 1 } : {};
    const generation = (before?.metadata.generation ?? 0) + 1;
    this.#uids += 1;
    const uid = before?.metadata.uid ?? `uid-${this.#uids}`;
    this.children.set(key, {
      ...object,
      ...(object['spec'] !== undefined && { spec: { ...kept, ...(object['spec'] as Fields) } }),
      ...(before?.['status'] !== undefined && { status: before['status'] }),
      metadata: { ...object.metadata, uid, generation },
    });
  }

  #annotate(action: Action): void {
    if (action.kind !== 'annotate') return;
    const { ref, annotations: change } = action;
    const key = `${ref.kind}/${ref.name}`;
    const found = this.children.get(key);
    if (!found) return;
    const merged = Object.entries({ ...found.metadata.annotations, ...change });
    const annotations = Object.fromEntries(merged.filter(([, value]) => value !== null)) as Record<
      string,
      string
    >;
    this.children.set(key, { ...found, metadata: { ...found.metadata, annotations } });
  }

  #setSpec(key: string, change: Fields): void {
    const found = this.children.get(key);
    if (found) this.children.set(key, { ...found, spec: { ...(found['spec'] as Fields), ...change } });
  }

  #controllers(): void {
    for (const [key, child] of this.children) {
      if (isWorkload(child)) this.children.set(key, this.#run(child));
    }
    this.#runMongo();
  }

  #run(workload: KubeObject): KubeObject {
    const { desired } = countsOf(workload);
    const revision = JSON.stringify(templateOf(workload));
    const component = workload.metadata.labels?.['app.kubernetes.io/component'] as 'worker';
    const isSet = workload.kind === 'StatefulSet';
    const names = Array.from({ length: desired }, (_, i) => `${workload.metadata.name}-${i}`);
    const others = this.pods.filter(
      ({ metadata }) => !metadata.name.startsWith(`${workload.metadata.name}-`),
    );
    const own = names.map((name) => {
      const kept = this.pods.find(({ metadata }) => metadata.name === name);
      if (kept && (isSet || kept.metadata.labels?.['controller-revision-hash'] === revision)) return kept;
      return this.#pod(name, component, revision);
    });
    this.pods = [...others, ...own];
    if (isSet) for (const name of names) this.#claim(name, workload);
    const updated = own.filter(({ metadata }) => metadata.labels?.['controller-revision-hash'] === revision);
    const counts = { replicas: desired, readyReplicas: desired, availableReplicas: desired };
    const status = { ...counts, updatedReplicas: updated.length, updateRevision: revision };
    const { generation = 1 } = workload.metadata;
    return { ...workload, status: { ...status, observedGeneration: generation } };
  }

  #pod(name: string, component: 'worker', revision: string): Pod {
    this.#uids += 1;
    const made = podOf(name, { component });
    const labels = { ...made.metadata.labels, 'controller-revision-hash': revision };
    return { ...made, metadata: { ...made.metadata, labels, uid: `uid-${this.#uids}` } };
  }

  #claim(pod: string, set: KubeObject): void {
    const name = `data-${pod}`;
    const key = `PersistentVolumeClaim/${name}`;
    if (this.children.has(key)) return;
    const [template] = (set['spec'] as { volumeClaimTemplates: { spec: Fields }[] }).volumeClaimTemplates;
    this.#uids += 1;
    const metadata = {
      ...{ name, namespace: 'ns', uid: `uid-${this.#uids}`, labels: set.metadata.labels ?? {} },
      creationTimestamp: new Date(this.now).toISOString(),
    };
    this.children.set(key, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: template!.spec,
    });
  }

  #identities(members: readonly MongoMember[], primary: string | null): MongoReport['identities'] {
    const names = this.pods.map(({ metadata }) => metadata.name).filter((name) => /-mongodb-\d+$/.test(name));
    const hosts = names.map((name) => `${name}.hc-mongodb.ns.svc.cluster.local:27017`);
    return hosts.map((host) => ({
      ...{ host, isPrimary: host === primary },
      setId: members.some((member) => member.host === host) ? 'a1' : null,
    }));
  }

  /** What a new HashCluster of this name finds: volumes and credentials, and nothing else. */
  recreate(spec: ClusterSpecInput): void {
    for (const [key, { kind }] of this.children)
      if (kind !== 'PersistentVolumeClaim') this.children.delete(key);
    this.pods = [];
    this.status = undefined;
    this.#createdAt = this.now;
    this.ledger.length = 0;
    this.#spec = CLUSTER_SPEC.parse(spec);
    this.generation = 1;
    this.data?.run([]);
  }

  /** The volume of a member is gone; the member comes back with a new one. */
  loseVolume(ordinal: number): void {
    const name = `data-hc-mongodb-${ordinal}`;
    const uid = this.children.get(`PersistentVolumeClaim/${name}`)?.metadata.uid;
    this.children.delete(`PersistentVolumeClaim/${name}`);
    this.pods = this.pods.filter(({ metadata }) => metadata.name !== `hc-mongodb-${ordinal}`);
    if (uid !== undefined) this.data?.volumes.delete(uid);
  }

  #mongoReading(): Observed['readings']['mongo'] {
    if (this.data === null) return { at: this.now, value: this.#report() };
    const { cluster, children } = { cluster: this.#cluster(), children: [...this.children.values()] };
    const value = this.data.report(expectedSet(cluster, children));
    return value && { at: this.now, value };
  }

  #runMongo(): void {
    const members = this.pods.filter(({ metadata }) => /-mongodb-\d+$/.test(metadata.name));
    this.data?.run(
      members.map(({ metadata: { name } }) => ({
        host: `${name}.hc-mongodb.ns.svc.cluster.local:27017`,
        volume: this.children.get(`PersistentVolumeClaim/data-${name}`)?.metadata.uid ?? '',
      })),
    );
  }

  #report(): MongoReport {
    const members = this.mongo?.members ?? [];
    const primary = members[0]?.host ?? null;
    return {
      config: this.mongo && { setName: 'rs0', setId: 'a1', term: 1, ...this.mongo },
      members: members.map(({ host }) => ({
        ...{ host, healthy: true, state: host === primary ? 'PRIMARY' : 'SECONDARY' },
      })),
      primary,
      users: this.users,
      identities: this.#identities(members, primary),
      disks: [],
    };
  }
}
