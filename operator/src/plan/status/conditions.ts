import type { ConditionType } from '../../api/status.ts';
import { lostCredentials } from '../credentials.ts';
import { invalidPasswords } from '../rotation.ts';
import { componentsOf } from '../desired/children.ts';
import { ingressWarnings } from '../desired/ingress.ts';
import type { Context } from '../desired/context.ts';
import { credentialsName, PASSWORD_RULE } from '../desired/names.ts';
import { holdSays } from '../healing/holds.ts';
import { FAILING_MS, type Component, type ObservedFailure, type Role } from '../observed.ts';
import { LOSS_ACKNOWLEDGED, mongoReport } from '../mongo-set.ts';
import { FIELDS_OVERWRITTEN, overwrittenSays } from '../overwritten.ts';
import { componentOf, isLeaving, isReady, podsOf } from '../pods.ts';
import { isRolledOut, outdated, type Workload } from '../rollout.ts';
import { creationFailures, missingKeys, whyUnready } from './causes.ts';
import { workloadOf, type Facts } from './facts.ts';
import { busReady, storeReady } from './servers.ts';
import { no, yes, type Verdict } from './verdict.ts';

/** The most single facts that a message names. */
const NAMED = 4;

function list(items: readonly string[]): string {
  const more = items.length > NAMED ? [`and ${items.length - NAMED} more`] : [];
  return [...items.slice(0, NAMED), ...more].join('; ');
}

function listNames(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

function available(facts: Facts): Verdict {
  const { endpoint, worker } = facts.counts;
  const says = (text: string, role: Role): string => [text, whyUnready(facts, role) ?? []].flat().join('; ');
  if (endpoint.ready === 0) {
    return no('NoEndpoint', says('No endpoint is ready: jobs cannot be submitted', 'endpoint'));
  }
  if (worker.desired === 0 && isHibernating(facts)) {
    return yes('Hibernating', 'Jobs are accepted. There are none, so no worker runs: a job starts the first');
  }
  if (worker.ready === 0 && facts.context.cluster.spec.worker.replicas.min === 0) {
    return no('WorkersStarting', says('Workers are starting: jobs are stored, and processed soon', 'worker'));
  }
  if (worker.ready === 0) {
    return no('NoWorker', says('No worker is ready: jobs are stored, but not processed', 'worker'));
  }
  return yes('Serving', 'Jobs are accepted and processed');
}

/** Whether workers are meant to be away: the scaler has made them so, and only where the spec allows it. */
function isHibernating({ context }: Facts): boolean {
  const { replicas } = context.cluster.spec.worker;
  return replicas.min === 0 && workloadOf(context, 'worker') !== null;
}

/** Something that is under way with a part. */
interface Step {
  /** Whether the spec asks for something that is not there yet; otherwise pods only come or go. */
  readonly isRollout: boolean;
  readonly says: string;
}

function serverStep({ context, counts }: Facts, server: 'mongodb' | 'kafka'): Step | null {
  const { desired, ready } = counts[server];
  const old = outdated(workloadOf(context, server), podsOf(context.observed, server)).length;
  if (old > 0) {
    return { isRollout: true, says: `${server}: ${desired - old}/${desired} pods updated` };
  }
  if (ready < desired) {
    return { isRollout: false, says: `${server}: ${ready}/${desired} pods ready` };
  }
  const leaving = context.observed.pods.filter((pod) => componentOf(pod) === server && isLeaving(pod));
  if (leaving.length > 0) {
    const names = leaving.map(({ metadata }) => metadata.name).join(', ');
    return { isRollout: false, says: `${server}: ${names} is terminating` };
  }
  return server === 'mongodb' ? membersStep(context) : null;
}

/** Members come and go by the configuration of the replica set, one at a time. */
function membersStep(context: Context): Step | null {
  const wanted = context.cluster.spec.mongodb.managed?.replicas;
  const members = mongoReport(context)?.config?.members.length;
  if (wanted === undefined || members === undefined || members === wanted) return null;
  const says = `mongodb: the replica set has ${members} members, and the spec asks for ${wanted}`;
  return { isRollout: false, says };
}

function roleStep({ context, counts }: Facts, role: Role, workload: Workload): Step | null {
  if (isRolledOut(workload)) return null;
  const { desired, replicas, ready, updated } = counts[role];
  if (updated >= replicas) return { isRollout: false, says: `${role}: ${ready}/${desired} pods ready` };
  const names = podsOf(context.observed, role)
    .filter((pod) => !isReady(pod))
    .map(({ metadata }) => metadata.name);
  // How many are updated and how many are ready are counts of different pods: those that are not ready are named.
  const unready = names.length > 0 ? [`${role}: pods not ready: ${listNames(names)}`] : [];
  return {
    isRollout: true,
    says: [`${role}: ${updated}/${desired} pods updated`, ...unready].join('; '),
  };
}

function stepOf(facts: Facts, component: Component): Step | null {
  const workload = workloadOf(facts.context, component);
  if (!workload) return { isRollout: true, says: `${component} is being created` };
  return component === 'mongodb' || component === 'kafka'
    ? serverStep(facts, component)
    : roleStep(facts, component, workload);
}

/** Volumes of which more was asked for than they have got so far. */
function resizes({ resizing }: Facts): Step[] {
  return resizing.map(({ message }) => ({ isRollout: false, says: message }));
}

function progressing(facts: Facts): Verdict {
  const { context, waiting, changing, missingSecrets } = facts;
  const { metadata, spec } = context.cluster;
  if (metadata.deletionTimestamp !== undefined) {
    return yes('Deleting', 'Workers release their jobs, then all components are deleted');
  }
  if (spec.paused) return no('Paused', 'spec.paused is true: no changes are made');
  if (missingSecrets.length > 0) return no('SecretMissing', waiting ?? 'Secrets are missing');
  const steps = componentsOf(context)
    .map((component) => stepOf(facts, component))
    .filter((step) => step !== null)
    .concat(resizes(facts));
  const changes = [...(waiting === null ? [] : [waiting]), ...changing];
  const says = [...changes, ...steps.map((step) => step.says)];
  if (says.length === 0) return no('Complete', 'All components match the spec');
  const isRollout = changes.length > 0 || steps.some((step) => step.isRollout);
  return yes(isRollout ? 'RollingOut' : 'ReplicasUpdating', list(says));
}

function workloadTroubles({ context }: Facts): Verdict[] {
  return componentsOf(context).flatMap((component) => {
    const conditions = workloadOf(context, component)?.status?.conditions ?? [];
    const failed = conditions.find(
      ({ type, status, reason }) =>
        (type === 'ReplicaFailure' && status === 'True') || reason === 'ProgressDeadlineExceeded',
    );
    if (!failed) return [];
    return [yes(failed.reason ?? failed.type, `${component}: ${failed.message ?? 'pods cannot be made'}`)];
  });
}

/** Actions that fail. That a PodDisruptionBudget holds a pod is not a fault: it is tried again. */
function failingActions({ context }: Facts): readonly ObservedFailure[] {
  return context.observed.refusals.filter(({ ref }) => !ref.startsWith('Pod '));
}

function refusals(facts: Facts): Verdict[] {
  const refused = failingActions(facts);
  const [first] = refused;
  if (first === undefined) return [];
  const says = list(refused.map(({ ref, message }) => `${ref}: ${message}`));
  return [yes(first.reason ?? 'Refused', `What the spec asks for could not be carried out: ${says}`)];
}

function overwrittenFields({ context }: Facts): Verdict[] {
  const { overwritten } = context.observed;
  return overwritten.length === 0 ? [] : [yes(FIELDS_OVERWRITTEN, list(overwritten.map(overwrittenSays)))];
}

function healingTroubles({ healing }: Facts): Verdict[] {
  const holds = healing.holds.map((hold) => yes(hold.reason, `${hold.component}: ${holdSays(hold)}`));
  const due = healing.patients.filter(({ isDue, startFailure }) => isDue && startFailure === null);
  if (due.length === 0) return holds;
  const says = list(due.map(({ pod, says: illness }) => `${pod.metadata.name}: ${illness}`));
  return [...holds, yes('PodsUnhealthy', says)];
}

/** Containers that do not start: what the kubelet says is told at once, for it does not pass by itself. */
function startFailures({ healing }: Facts): Verdict[] {
  return healing.patients.flatMap(({ component, pod, startFailure, says }) =>
    startFailure === null ? [] : [yes(startFailure, `${component}: Pod ${pod.metadata.name}: ${says}`)],
  );
}

function credentialTroubles(context: Context): Verdict[] {
  const { cluster } = context;
  const lost = lostCredentials(context).map((server) =>
    yes(
      'SecretMissing',
      `Secret ${credentialsName(cluster, server)} is missing, and volumes of ${server} hold data that only it opens: restore it from a backup`,
    ),
  );
  const refused = (['mongodb', 'kafka'] as const).flatMap((server) => {
    const invalid = invalidPasswords(context, server);
    if (invalid.length === 0) return [];
    const says = `Secret ${credentialsName(cluster, server)}: ${invalid.join(', ')} must be ${PASSWORD_RULE}; the passwords before are still in use`;
    return [yes('InvalidPassword', says)];
  });
  return [...lost, ...refused];
}

function otherTroubles(facts: Facts): Verdict[] {
  const { context, stuck, missingSecrets } = facts;
  const { ingress } = context.cluster.spec;
  const noRoute = ingress.enabled && ingress.type === 'HTTPRoute' && !context.observed.api.httpRoute;
  return [
    ...credentialTroubles(context),
    ...(missingSecrets.length > 0
      ? [yes('SecretMissing', `Secrets are missing: ${missingSecrets.join(', ')}`)]
      : []),
    ...ingressWarnings(context).map(({ reason, message }) => yes(reason, message)),
    ...missingKeys(facts).map(({ message }) => yes('SecretKeyMissing', message)),
    ...(noRoute
      ? [yes('NoGatewayApi', 'An HTTPRoute is asked for, but the Gateway API is not installed')]
      : []),
    ...(stuck.length > 0 ? [yes('VolumeResizeFailed', list(stuck.map(({ message }) => message)))] : []),
  ];
}

/** Volumes whose members have no data, until they have copied it, and losses that nobody has acknowledged. */
function dataTroubles(facts: Facts): Verdict[] {
  const lost = facts.replicaSet?.volumes?.filter(({ lostAt }) => lostAt !== undefined) ?? [];
  const says = lost.map(({ claim, lostAt }) => `${claim} lost its data (found at ${lostAt!})`);
  const loss = dataLost(facts);
  return [
    ...(loss.status === 'True' ? [loss] : []),
    ...(says.length > 0 ? [yes('VolumeLost', says.join('; '))] : []),
  ];
}

/** Whether jobs or results are gone, or may be, until somebody says that they know. */
function dataLost({ context, replicaSet }: Facts): Verdict {
  const losses = replicaSet?.dataLost ?? [];
  const last = losses.at(-1);
  if (!last) return no('NoLossKnown', 'No loss of data is known');
  const { name, namespace } = context.cluster.metadata;
  const acknowledge = `kubectl annotate hashcluster ${name} -n ${namespace} --overwrite ${LOSS_ACKNOWLEDGED}=${last.at}`;
  const says = list(losses.map(({ at, message }) => `${at}: ${message}`));
  return yes(last.reason, `${says}. To acknowledge: ${acknowledge}`);
}

/** Reasons of StoreReady that are nowhere else in the status. */
const STORE_TROUBLES: ReadonlySet<string> = new Set(['MemberUnavailable', 'StoreUnreachable']);

/** Whether something is wrong that does not pass by itself, the gravest first. */
function degraded(facts: Facts, store: Verdict): Verdict {
  const troubles = [
    ...refusals(facts),
    ...overwrittenFields(facts),
    ...dataTroubles(facts),
    ...otherTroubles(facts),
    ...startFailures(facts),
    ...creationFailures(facts),
    ...healingTroubles(facts),
    ...workloadTroubles(facts),
    ...(STORE_TROUBLES.has(store.reason) ? [yes(store.reason, store.message)] : []),
  ];
  const [first] = troubles;
  if (!first) return no('AsExpected', 'No problems detected');
  return { ...first, message: list(troubles.map(({ message }) => message)) };
}

function scalingLimited({ scaling, context }: Facts): Verdict {
  if (context.cluster.spec.paused) return yes('Paused', 'spec.paused is true: nothing is scaled');
  const limited = scaling.decisions.filter((decision) => decision.limited !== null);
  const [first] = limited;
  if (!first) return no('NotLimited', 'The number of pods is what the signals ask for');
  return yes(
    first.limited!.reason,
    list(limited.map((decision) => `${decision.role}: ${decision.limited!.message}`)),
  );
}

/** Roles of which fewer pods are ready than there should be at least. */
function tooFew({ context, counts }: Facts): string[] {
  return (['endpoint', 'worker'] as const)
    .map((role) => ({ role, ready: counts[role].ready, min: context.cluster.spec[role].replicas.min }))
    .filter(({ ready, min }) => ready < min)
    .map(({ role, ready, min }) => `${role}: ${ready} of at least ${min} pods are ready`);
}

/** What the operator has tried in vain for so long that nothing can be said to be ready; null: nothing. */
function failingForLong(facts: Facts): Verdict | null {
  const { now } = facts.context.observed;
  const failing = failingActions(facts).filter(({ since }) => now - since >= FAILING_MS);
  if (failing.length === 0) return null;
  const says = list(failing.map(({ ref, message }) => `${ref}: ${message}`));
  return no('ActionFailing', `The operator has tried in vain for ${FAILING_MS / 1000} s or longer: ${says}`);
}

type Others = Readonly<Record<Exclude<ConditionType, 'Ready'>, Verdict>>;

/** Pods that only come or go, as the scaler wants it, do not make a cluster less ready. */
function ready(facts: Facts, { Available, StoreReady, BusReady, Progressing }: Others): Verdict {
  const lacking = [StoreReady, Available].find(({ status }) => status !== 'True');
  if (lacking?.status === 'False') return lacking;
  // It says more than that something is not known, or under way.
  const failing = failingForLong(facts);
  if (failing) return failing;
  if (lacking) return { ...lacking, status: 'False' };
  if (Progressing.status === 'True' && Progressing.reason !== 'ReplicasUpdating') {
    return no(Progressing.reason, Progressing.message);
  }
  const few = tooFew(facts);
  if (few.length > 0) return no('TooFewPods', list(few));
  if (BusReady.status === 'False') return no(BusReady.reason, BusReady.message);
  const [overwritten] = overwrittenFields(facts);
  if (overwritten) return no(overwritten.reason, overwritten.message);
  if (facts.context.cluster.spec.paused) {
    return yes(
      'Paused',
      'Jobs are accepted and processed. spec.paused is true: changes to the spec are not applied',
    );
  }
  return yes('Ready', 'All components match the spec, and jobs are accepted and processed');
}

/** What every condition says now. */
export function verdictsOf(facts: Facts): Readonly<Record<ConditionType, Verdict>> {
  const StoreReady = storeReady(facts);
  const verdicts = {
    ...{ StoreReady, DataLost: dataLost(facts), BusReady: busReady(facts), Available: available(facts) },
    ...{ Progressing: progressing(facts), Degraded: degraded(facts, StoreReady) },
    ScalingLimited: scalingLimited(facts),
  };
  return { Ready: ready(facts, verdicts), ...verdicts };
}
