import { FINALIZER } from '../api/hash-cluster.ts';
import type { Action, Plan } from './action.ts';
import { applySays, applying } from './applying.ts';
import { planSecrets } from './credentials.ts';
import { planDeletion } from './deletion.ts';
import { surroundings } from './desired/children.ts';
import { isAtHome, liveChild, type Context } from './desired/context.ts';
import { roleDeployment } from './desired/deployments.ts';
import { planHealing } from './healing/plan-healing.ts';
import { claimNotes, replicaSetEvents, startEvents } from './mongo-memory.ts';
import { mongoSteps } from './mongo-steps.ts';
import type { Observed } from './observed.ts';
import { isOverwritten, overwrittenEvents, withoutHeld } from './overwritten.ts';
import { prune } from './pruning.ts';
import { planRoles } from './roles.ts';
import { isWorkload } from './rollout.ts';
import { kafkaSteps, rotating } from './rotation.ts';
import { planScaling } from './scaling/plan-scaling.ts';
import { planServers, serverSets } from './servers.ts';
import type { Findings } from './status/facts.ts';
import { statusEvents } from './status/events.ts';
import { writingStatus } from './status/status.ts';
import { planVolumes } from './volumes.ts';

/** How soon to look again: what is asked of running parts changes without anybody saying so. Milliseconds. */
const UNSETTLED_MS = 2_000;
const SETTLED_MS = 5_000;
/** Only the age of the status changes. */
const PAUSED_MS = 60_000;

const NOTHING: Findings = {
  scaling: { decisions: [], actions: [] },
  healing: { patients: [], holds: [], actions: [] },
  stuck: [],
  resizing: [],
  waiting: null,
  changing: [],
};

interface Steps {
  readonly actions: readonly Action[];
  /** What comes after the status: it takes long, and fails while servers are away. */
  readonly last: readonly Action[];
  readonly findings: Findings;
}

function finalizer(context: Context): Action[] {
  const { cluster } = context;
  const has = cluster.metadata.finalizers?.includes(FINALIZER) === true;
  if (isAtHome(context)) {
    const why = 'the operator may be deleted together with its own namespace, and could not finalize then';
    return has ? [{ kind: 'finalizer', change: 'remove', why }] : [];
  }
  if (has) return [];
  return [
    { kind: 'finalizer', change: 'add', why: 'its workers are to give their jobs back before it goes' },
  ];
}

/** With Events for what people want to know of. Those of an action that is refused are passed over with it. */
function announced(observed: Observed, actions: readonly Action[]): Action[] {
  return actions.flatMap((action) => {
    const says = announcement(observed, action);
    return says === null ? [action] : [action, { kind: 'event', type: 'Normal', ...says }];
  });
}

function announcement(
  observed: Observed,
  action: Action,
): { readonly reason: string; readonly message: string } | null {
  if (action.kind === 'apply' && isWorkload(action.object)) {
    // That it is written once more is no news.
    if (isOverwritten(observed, action)) return null;
    const reason = action.fields === undefined ? 'Created' : 'Updated';
    return { reason, message: applySays(action) };
  }
  if (action.kind === 'expandVolume') {
    const { ref, storage, why } = action;
    return { reason: 'VolumeResizing', message: `Resizing ${ref.name} to ${storage}: ${why}` };
  }
  return null;
}

/** Everything around the pods, and what nobody wants any more. */
function planSurroundings(context: Context): Action[] {
  const wanted = surroundings(context);
  const roles = [roleDeployment(context, 'endpoint'), roleDeployment(context, 'worker')];
  const applied = wanted
    .map((object) => applying(object, liveChild(context, object.kind, object.metadata.name)))
    .filter((action) => action !== null);
  return [...applied, ...prune(context, [...wanted, ...serverSets(context), ...roles])];
}

/** How these actions change workloads, for people: what is known of their pods is of before. */
function changedBy({ observed }: Context, actions: readonly Action[]): string[] {
  return actions.flatMap((action) =>
    action.kind === 'apply' && isWorkload(action.object) && !isOverwritten(observed, action)
      ? [applySays(action)]
      : [],
  );
}

function planRunning(context: Context): Steps {
  const servers = planServers(context);
  const roles = planRoles(context);
  const volumes = planVolumes(context);
  const scaling = planScaling(context.observed);
  const healing = planHealing(context.observed);
  return {
    actions: [
      ...finalizer(context),
      ...planSecrets(context),
      ...planSurroundings(context),
      ...startEvents(context),
      ...servers,
      ...roles.actions,
      ...volumes.actions,
      ...claimNotes(context),
      ...scaling.actions,
      ...healing.actions,
    ],
    last: [...mongoSteps(context), ...kafkaSteps(context)],
    findings: {
      ...{ scaling, healing, stuck: volumes.stuck, resizing: volumes.resizing, waiting: roles.waiting },
      changing: [
        ...rotating(context).map((user) => `Rotating the password of ${user}`),
        ...changedBy(context, [...servers, ...roles.actions]),
      ],
    },
  };
}

function stepsOf(context: Context): Steps {
  const { metadata, spec } = context.cluster;
  if (metadata.deletionTimestamp !== undefined) {
    return { actions: planDeletion(context), last: [], findings: NOTHING };
  }
  if (!spec.paused) return planRunning(context);
  return { actions: isAtHome(context) ? finalizer(context) : [], last: [], findings: NOTHING };
}

function recheckOf({ cluster }: Context, actions: readonly Action[]): number | null {
  const { metadata, spec, status } = cluster;
  if (spec.paused && metadata.deletionTimestamp === undefined) return PAUSED_MS;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  return ready && actions.length === 0 ? SETTLED_MS : UNSETTLED_MS;
}

/**
 * What to do about a cluster, in this order: walls, servers, endpoints, workers, numbers of pods, ill pods, the status, the
 * members and users of MongoDB, the users of Kafka.
 * Only where what is differs from what should be: nothing to do is an empty list. It knows nothing but its argument.
 */
export function plan(observed: Observed): Plan {
  const context: Context = { cluster: observed.cluster, observed };
  const { actions, last, findings } = stepsOf(context);
  const isGone =
    observed.cluster.metadata.deletionTimestamp !== undefined &&
    actions.some((action) => action.kind === 'finalizer' && action.change === 'remove');
  const status = isGone ? null : writingStatus(context, findings);
  const before = context.cluster.status;
  const told =
    status === null
      ? []
      : [status, ...statusEvents(before, status.status), ...replicaSetEvents(before, status.status)];
  const running = withoutHeld(observed, announced(observed, actions));
  const all = [...running.actions, ...overwrittenEvents(observed), ...told, ...last];
  return { actions: all, held: running.held, recheckMs: recheckOf(context, all) };
}
