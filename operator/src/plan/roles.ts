import type { Action } from './action.ts';
import { lostCredentials } from './credentials.ts';
import { applying, wouldRestart } from './applying.ts';
import { foreignCredentials, liveChild, ownApplied, secretNamed, type Context } from './desired/context.ts';
import { credentialsName } from './desired/names.ts';
import { hasHashKey } from './desired/secrets.ts';
import { externalSecrets, roleDeployment } from './desired/deployments.ts';
import type { KubeObject, ObjectRef } from './kube.ts';
import type { Role } from './observed.ts';
import { isOverwritten } from './overwritten.ts';
import { isRolledOut, type Workload } from './rollout.ts';
import { serversInRollout } from './servers.ts';

/** What is done about endpoints and workers, and what is waited for. */
export interface RolesPlan {
  readonly actions: readonly Action[];
  /** For people; null: nothing is waited for. */
  readonly waiting: string | null;
}

/** Names of Secrets that the spec names and that are not there. */
export function missingExternalSecrets(context: Context): string[] {
  return externalSecrets(context).filter((name) => secretNamed(context, name) === null);
}

/** The first number of pods is the scaler's too: without it there would be one, until somebody looks again. */
function firstScale(context: Context, role: Role, deployment: KubeObject): Action {
  const { name, namespace = '' } = deployment.metadata;
  const ref: ObjectRef = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  const replicas = context.cluster.spec[role].replicas.min;
  return { kind: 'scale', ref, replicas, why: `a new cluster begins with its fewest ${role}s` };
}

interface Step {
  readonly role: Role;
  readonly desired: KubeObject;
  readonly live: Workload | null;
  readonly restarts: boolean;
}

function stepOf(context: Context, role: Role): Step {
  const desired = roleDeployment(context, role);
  const live: Workload | null = liveChild(context, 'Deployment', desired.metadata.name);
  const action = applying(desired, live);
  // What somebody changes back does not keep the others waiting.
  const isPending = action !== null && !isOverwritten(context.observed, action);
  return { role, desired, live, restarts: live !== null && isPending && wouldRestart(desired, live) };
}

function apply(context: Context, { role, desired, live }: Step): Action[] {
  const action = applying(desired, live);
  if (!action) return [];
  return live === null ? [action, firstScale(context, role, desired)] : [action];
}

/** What a new template of a role has to wait for; null: nothing. */
function obstacle(context: Context, step: Step, endpoint: Step): string | null {
  if (!step.restarts) return null;
  const [server] = serversInRollout(context);
  if (server !== undefined) return `${step.role}s get their new template when ${server} has its own`;
  if (step.role === 'endpoint' || endpoint.live === null) return null;
  const done = !endpoint.restarts && isRolledOut(endpoint.live);
  return done ? null : 'workers get their new template when all endpoints have it';
}

/**
 * Endpoints and workers. New templates go to the servers first, then to the endpoints, then to the workers; so what does
 * not work is noticed before it is everywhere. What is not there yet is made at once.
 */
export function planRoles(context: Context): RolesPlan {
  const missing = missingExternalSecrets(context);
  if (missing.length > 0) {
    return { actions: [], waiting: `Secrets are missing: ${missing.join(', ')}` };
  }
  const foreign = foreignCredentials(context).map((server) => credentialsName(context.cluster, server));
  if (foreign.length > 0) {
    return { actions: [], waiting: `Secrets belong to somebody else: ${foreign.join(', ')}` };
  }
  const lost = lostCredentials(context).map((server) => credentialsName(context.cluster, server));
  if (lost.length > 0) return { actions: [], waiting: `Secrets are missing: ${lost.join(', ')}` };
  if (externalSecrets(context).length > 0 && !hasHashKey(context)) {
    return { actions: [], waiting: 'the key for hashes of Secrets is being created' };
  }
  const endpoint = stepOf(context, 'endpoint');
  const unknown = (['mongodb', 'kafka'] as const).some(
    (server) => context.cluster.spec[server].managed && ownApplied(context, server) === null,
  );
  // Which user pods have is not known: a template made now could name another one.
  if (unknown && endpoint.live !== null) return { actions: [], waiting: 'credentials are being copied' };
  const steps = [endpoint, stepOf(context, 'worker')];
  const judged = steps.map((step) => ({ step, waits: obstacle(context, step, endpoint) }));
  return {
    actions: judged.flatMap(({ step, waits }) => (waits === null ? apply(context, step) : [])),
    waiting: judged.find(({ waits }) => waits !== null)?.waits ?? null,
  };
}
