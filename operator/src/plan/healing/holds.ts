import type { KubeObject, Pod } from '../kube.ts';
import type { Component, Observed } from '../observed.ts';
import { componentOf, isLeaving, isReady, podsOf, timeOf } from '../pods.ts';
import { disruptionsOf, type Disruption } from './backoff.ts';
import type { Hold, Patient } from './healing-plan.ts';

/** What is asked about one component. */
export interface Ward {
  readonly component: Component;
  readonly observed: Observed;
  /** All of the component, due or not. */
  readonly patients: readonly Patient[];
  /** Those that are due. */
  readonly due: readonly Patient[];
  /** Of all components. */
  readonly everybody: readonly Patient[];
  /** Whether no worker at all is heard. */
  readonly isDeaf: boolean;
}

type Answer = Omit<Hold, 'component'>;

/** What we see is not believed when nothing has confirmed it for so long. Bookmarks come every minute. */
const VIEW_VALID_MS = 150_000;
const LEAVING_MS = 60_000;

/** What a hold says to people. */
export function holdSays({ message }: Answer): string {
  return `Replacement suspended: ${message}`;
}

/** What forbids to replace any pod of a component now; null: nothing does. */
export function holdFor(ward: Ward): Answer | null {
  return (
    ofView(ward) ??
    ofRollout(ward) ??
    ofWidth(ward) ??
    ofNode(ward) ??
    ofCure(ward) ??
    ofProgress(ward) ??
    ofBudget(ward)
  );
}

function ofView({ observed: { cluster, now, viewAt } }: Ward): Answer | null {
  if (!cluster.spec.healing.enabled) {
    return { reason: 'HealingDisabled', message: 'healing.enabled is false' };
  }
  if (now - viewAt <= VIEW_VALID_MS) return null;
  return { reason: 'StaleView', message: 'the watch of pods has been silent for too long' };
}

/** While a version is rolled out, the Deployment replaces pods itself; unless it says that it has given up. */
function ofRollout({ component, observed }: Ward): Answer | null {
  const owner = workloadOf(component, observed);
  if (!owner) return null;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, conditions = [] } = owner.status ?? {};
  const hasGivenUp = conditions.some(({ reason }) => reason === 'ProgressDeadlineExceeded');
  const isUnseen = observedGeneration < (owner.metadata.generation ?? 0);
  if (!isUnseen && (updatedReplicas >= replicas || hasGivenUp)) return null;
  return { reason: 'RolloutInProgress', message: 'a new version is being rolled out' };
}

function ofWidth({ component, observed, patients }: Ward): Answer | null {
  const { maxUnhealthyPercent } = observed.cluster.spec.healing;
  const all = Math.max(podsOf(observed, component).length, replicasOf(component, observed));
  const ill = patients.filter(({ pod }) => !isLeaving(pod)).length;
  if (ill <= 1 || ill * 100 <= all * maxUnhealthyPercent) return null;
  const message = `${ill}/${all} unhealthy exceeds maxUnhealthyPercent (${maxUnhealthyPercent}%)`;
  return { reason: 'TooManyUnhealthy', message };
}

/** All on one node, while others are elsewhere: Kubernetes deals with nodes. */
function ofNode({ component, observed, patients }: Ward): Answer | null {
  const nodes = new Set(patients.map(({ pod }) => pod.spec.nodeName));
  const [node] = nodes;
  if (patients.length < 2 || nodes.size !== 1 || node === undefined) return null;
  const isElsewhere = podsOf(observed, component).some((pod) => pod.spec.nodeName !== node);
  if (!isElsewhere) return null;
  return { reason: 'SameNode', message: `all ${patients.length} unhealthy pods are on node ${node}` };
}

/** Those that are due, and of which another pod in their place would be better off. */
export function curable(ward: Ward): Patient[] {
  return ward.due.filter(
    (patient) => patient.isCurable && !isOfBus(patient, ward) && !isOfImage(patient, ward),
  );
}

/** Why none is curable. */
function ofCure(ward: Ward): Answer | null {
  if (curable(ward).length > 0) return null;
  if (ward.due.some((patient) => isOfBus(patient, ward))) {
    const message = 'No endpoint receives heartbeats of any worker: check Kafka and the NetworkPolicies';
    return { reason: 'WorkersUnreachable', message };
  }
  const images = ward.due.filter((patient) => isOfImage(patient, ward)).flatMap(({ pod }) => imagesOf(pod));
  if (images.length === 0)
    return { reason: 'NotCurable', message: 'A new pod in its place would be unhealthy, too' };
  const message = `no pod with this image is ready: ${[...new Set(images)].join(', ')}`;
  return { reason: 'ImageNeverRan', message };
}

function isOfBus({ illness }: Patient, { isDeaf }: Ward): boolean {
  return illness === 'CutOff' && isDeaf;
}

function isOfImage(patient: Patient, { component, observed }: Ward): boolean {
  if (!needsImage(patient)) return false;
  const runs = podsOf(observed, component).filter(isReady).flatMap(imagesOf);
  return !imagesOf(patient.pod).every((image) => runs.includes(image));
}

function needsImage({ illness }: Patient): boolean {
  return illness === 'ImagePull' || illness === 'CrashLoop';
}

function imagesOf({ spec }: Patient['pod']): string[] {
  return spec.containers.map(({ image }) => image);
}

/** Replacements under way, our own and others', of any component. */
function ofProgress({ component, observed, everybody }: Ward): Answer | null {
  const { maxConcurrent } = observed.cluster.spec.healing;
  const due = everybody.filter(({ isDue }) => isDue).map(({ pod }) => pod);
  const running = disruptionsOf(observed.ledger).filter((entry) => isUnderWay(entry, observed, due));
  const names = running.map(({ pod }) => pod);
  const leaving = observed.pods
    .filter((pod) => componentOf(pod) === component && isLeaving(pod) && !names.includes(pod.metadata.name))
    .filter(({ metadata }) => observed.now < (timeOf(metadata.deletionTimestamp) ?? 0) + LEAVING_MS)
    .map(({ metadata }) => metadata.name);
  const all = [...names, ...leaving];
  if (all.length < maxConcurrent) return null;
  return { reason: 'InProgress', message: `pods are being replaced already: ${all.join(', ')}` };
}

/** A replacement ends when the pod is gone and the new one is ready, or is ill itself; or after a while. */
function isUnderWay({ at, component, uid }: Disruption, observed: Observed, due: readonly Pod[]): boolean {
  const { startSeconds } = observed.cluster.spec.healing;
  if (observed.now - at >= startSeconds * 1000) return false;
  if (observed.pods.some(({ metadata }) => metadata.uid === uid)) return true;
  const pods = podsOf(observed, component);
  const isYoung = (pod: Pod) => (timeOf(pod.metadata.creationTimestamp) ?? 0) + 1_000 > at;
  const isStarting = pods.some((pod) => isYoung(pod) && !isReady(pod) && !due.includes(pod));
  return isStarting || pods.length < replicasOf(component, observed);
}

function ofBudget({ observed }: Ward): Answer | null {
  const { evictions, periodSeconds } = observed.cluster.spec.healing.budget;
  const spent = disruptionsOf(observed.ledger).filter(
    ({ at }) => observed.now - at < periodSeconds * 1000,
  ).length;
  if (spent < evictions) return null;
  const message = `${evictions} pods were replaced within ${periodSeconds} s (healing.budget)`;
  return { reason: 'BudgetSpent', message };
}

/** A Deployment or StatefulSet: what is read of it. */
interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly conditions?: readonly { readonly reason?: string }[];
  };
}

function workloadOf(component: Component, { children, cluster }: Observed): Workload | undefined {
  const name = `${cluster.metadata.name}-${component}`;
  const isWorkload = ({ kind }: KubeObject) => kind === 'Deployment' || kind === 'StatefulSet';
  return children.find((child) => isWorkload(child) && child.metadata.name === name);
}

function replicasOf(component: Component, observed: Observed): number {
  return workloadOf(component, observed)?.spec?.replicas ?? 0;
}
