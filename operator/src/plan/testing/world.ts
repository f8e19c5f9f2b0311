import { CLUSTER_SPEC, type ClusterSpec, type ClusterSpecInput } from '../../api/spec.ts';
import type { Action, ActionOf, Plan } from '../action.ts';
import type { KubeObject, Pod } from '../kube.ts';
import type {
  LedgerEntry,
  MongoMember,
  MongoReport,
  Observed,
  OperatorDefaults,
  SecretFacts,
} from '../observed.ts';
import { plan } from '../plan.ts';
import { countsOf, isWorkload } from '../rollout.ts';
import { NOW, pod as podOf, scene } from './scene.ts';

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
  readonly children = new Map<string, KubeObject>();
  readonly secrets = new Map<string, SecretFacts>();
  readonly log: Action[] = [];
  readonly ledger: LedgerEntry[] = [];
  pods: Pod[] = [];
  status: Observed['cluster']['status'];
  defaults: OperatorDefaults = scene().defaults;
  mongo: { version: number; members: readonly MongoMember[] } | null = null;
  users: readonly string[] = [];
  gone = false;
  #uids = 0;

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
    const { status } = this;
    return {
      ...base,
      ...{ now: this.now, viewAt: this.now, defaults: this.defaults, secrets: [...this.secrets.values()] },
      cluster: {
        ...base.cluster,
        spec: this.#spec,
        metadata: {
          ...base.cluster.metadata,
          ...{ generation: this.generation, finalizers: [...this.finalizers] },
          ...(this.deleted !== null && { deletionTimestamp: new Date(this.deleted).toISOString() }),
        },
        ...(status && { status }),
      },
      readings: {
        ...base.readings,
        mongo: { at: this.now, value: this.#report() },
        kafka: { at: this.now, value: { brokers: [0, 1, 2], disks: [] } },
      },
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
      case 'createSecret':
        return this.#createSecret(action);
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
    }
  }

  #carryOutOnMongo(action: Action): void {
    if (action.kind === 'initiateMongo') this.mongo = { version: 1, members: action.members };
    if (action.kind === 'reconfigureMongo') {
      this.mongo = { version: action.fromVersion + 1, members: action.members };
    }
    if (action.kind === 'ensureMongoUsers') this.users = action.users.map(({ name }) => name);
  }

  #createSecret({ object, keys }: ActionOf<'createSecret'>): void {
    const { name } = object.metadata;
    const facts = { name, uid: `uid-${name}`, owner: null, hash: '0'.repeat(16) };
    this.secrets.set(name, { ...facts, keys: keys.map((key) => key.name) });
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

  #setSpec(key: string, change: Fields): void {
    const found = this.children.get(key);
    if (found) this.children.set(key, { ...found, spec: { ...(found['spec'] as Fields), ...change } });
  }

  #controllers(): void {
    for (const [key, child] of this.children) {
      if (isWorkload(child)) this.children.set(key, this.#run(child));
    }
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
    const metadata = { name, namespace: 'ns', uid: `uid-${name}`, labels: set.metadata.labels ?? {} };
    this.children.set(key, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: template!.spec,
    });
  }

  #report(): MongoReport {
    const members = this.mongo?.members ?? [];
    const primary = members[0]?.host ?? null;
    return {
      config: this.mongo && { setName: 'rs0', ...this.mongo },
      members: members.map(({ host }) => ({
        ...{ host, healthy: true, state: host === primary ? 'PRIMARY' : 'SECONDARY' },
      })),
      primary,
      users: this.users,
      disks: [],
    };
  }
}
