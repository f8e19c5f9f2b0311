import type { ClusterSpecInput } from '../../api/spec.ts';
import type { ClusterStatus } from '../../api/status.ts';
import { mongoMembers, mongoUsers } from '../desired/mongodb.ts';
import type { KubeObject } from '../kube.ts';
import type { MongoReport, Observed, Role } from '../observed.ts';
import { deployment, NOW, scene, secretFacts } from '../testing/scene.ts';
import type { Findings } from './facts.ts';
import { statusOf } from './status.ts';

/** What a plan finds when there is nothing to do. */
export const QUIET: Findings = {
  scaling: { decisions: [], actions: [] },
  healing: { patients: [], holds: [], actions: [] },
  stuck: [],
  resizing: [],
  waiting: null,
  changing: [],
};

/** A managed server of three members. */
export function set(server: 'mongodb' | 'kafka', ready = 3): KubeObject {
  const counts = { replicas: 3, readyReplicas: ready, updatedReplicas: 3, availableReplicas: ready };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { replicas: 3 } },
    metadata: { name: `hc-${server}`, generation: 1 },
    status: { ...counts, observedGeneration: 1 },
  };
}

/** A Deployment of a role, all of it available. */
export const there = (role: Role, status: object = {}, pods = 2) =>
  deployment(role, pods, { availableReplicas: pods, ...status });

/** The workloads of a cluster at rest. */
export const CHILDREN = [there('endpoint'), there('worker'), set('mongodb'), set('kafka')];

/** The workloads of a cluster at rest, with others in place of one of them. */
export function without(name: string, ...more: readonly KubeObject[]): KubeObject[] {
  return [...CHILDREN.filter(({ metadata }) => metadata.name !== name), ...more];
}

const base = scene();
const context = { cluster: base.cluster, observed: base };
const members = mongoMembers(context);
/** A replica set that is healthy. */
export const WHOLE: MongoReport = {
  config: { setName: 'rs0', setId: 'a1', version: 1, term: 1, members },
  members: members.map(({ host }) => ({ host, state: 'SECONDARY', healthy: true })),
  primary: members[0]!.host,
  users: mongoUsers(context).map(({ name }) => name),
  identities: members.map(({ host, id }) => ({ host, setId: 'a1', isPrimary: id === 0 })),
  disks: [],
};

/** What differs from a cluster at rest. */
export interface Case {
  readonly spec?: ClusterSpecInput;
  readonly children?: readonly KubeObject[];
  readonly mongo?: Partial<MongoReport> | null;
  readonly more?: Partial<Observed>;
  readonly findings?: Partial<Findings>;
  readonly status?: ClusterStatus;
  readonly deleting?: boolean;
}

/** Everything that is observed in a case. */
export function observe({
  spec = {},
  children = CHILDREN,
  mongo = {},
  more,
  status,
  deleting = false,
}: Case): Observed {
  const value = { ...WHOLE, ...mongo };
  const observed = scene({
    ...{ spec, children, deleting },
    readings: { mongo: mongo === null ? null : { at: NOW, value } },
  });
  return { ...observed, cluster: { ...observed.cluster, ...(status && { status }) }, ...more };
}

/** The status in a case. */
export function statusFor(given: Case): ClusterStatus {
  const observed = observe(given);
  return statusOf({ cluster: observed.cluster, observed }, { ...QUIET, ...given.findings });
}

/** MongoDB and Kafka of others. */
export const EXTERNAL: ClusterSpecInput = {
  mongodb: { external: { secretName: 'store' } },
  kafka: { external: { brokers: ['k:9092'] } },
};
/** The Secret that {@link EXTERNAL} names. */
export const store = secretFacts('store', { instance: null, keys: ['uri'] });
