import type { RoleSpec } from '../../api/role-spec.ts';
import type { KubeObject } from '../kube.ts';
import { expectedSetOf, SET_ID } from '../mongo-set.ts';
import type { Role } from '../observed.ts';
import { childMeta, liveChild, secretNamed, type Context } from './context.ts';
import { IMAGE_FROM, serviceImage } from './images.ts';
import { childName, PORTS, selectorOf } from './names.ts';
import { podTemplate, scratch, type PodParts } from './pod.ts';
import { KAFKA_CA, roleEnv } from './role-env.ts';
import { tolerationsOfStateless } from './tolerations.ts';

/** Says on pods which state of the Secrets they were started with: variables do not follow. */
export const SECRETS_HASH = 'hashcluster.io/secrets';

/** The user `nonroot` of the image. */
const USER = 65_532;

/** Long enough for proxies to notice that the pod leaves, before it takes no more connections. */
const UNLISTED_SECONDS = 5;

function http(path: string): object {
  return { path, port: 'admin' };
}

const PROBES = {
  startupProbe: { httpGet: http('/livez'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 },
  readinessProbe: { httpGet: http('/readyz'), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
  livenessProbe: { httpGet: http('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
};

/** Secrets of somebody else that the pods read: names, in order. */
export function externalSecrets({ cluster }: Context): string[] {
  const { mongodb, kafka } = cluster.spec;
  const bus = kafka.external;
  const ca = bus?.tls.enabled ? bus.tls.caSecretName : undefined;
  return [mongodb.external?.secretName, bus?.secretName, ca].filter((name) => name !== undefined);
}

interface Annotated extends KubeObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}

function liveDeployment(context: Context, role: Role): Annotated | null {
  return liveChild(context, 'Deployment', childName(context.cluster, role));
}

function templateAnnotations(live: Annotated | null): Readonly<Record<string, string>> {
  return live?.spec?.template?.metadata?.annotations ?? {};
}

/**
 * The replica set that pods were made for, on their Deployment, and on the pods once it is another one than before. They read
 * it when they start, and a driver that knows a set of an older term takes no new one: so they are restarted for another set,
 * but not for the first one.
 */
function setsOf(context: Context, role: Role): { readonly made?: string; readonly restarted?: string } {
  const live = liveDeployment(context, role);
  const before = live?.metadata.annotations?.[SET_ID];
  const made = expectedSetOf(context) ?? before;
  const isAnother = before !== undefined && before !== made;
  const restarted = isAnother ? made : templateAnnotations(live)[SET_ID];
  return { ...(made !== undefined && { made }), ...(restarted !== undefined && { restarted }) };
}

/** What changes with the Secrets of others; null: there are none. */
function secretsHash(context: Context, role: Role): string | null {
  const secrets = externalSecrets(context).map((name) => secretNamed(context, name));
  if (secrets.length === 0) return null;
  const before = templateAnnotations(liveDeployment(context, role))[SECRETS_HASH];
  const plain = secrets.map((secret) => secret?.plainHash ?? 'missing').join('-');
  // Pods of an operator before are not restarted for a better hash: they get it with the next change of a Secret.
  return before === plain ? plain : secrets.map((secret) => secret?.hash ?? 'missing').join('-');
}

function annotationsOf(context: Context, role: Role): Record<string, string> {
  const { monitoring } = context.cluster.spec;
  const hash = secretsHash(context, role);
  const { restarted } = setsOf(context, role);
  return {
    ...(restarted !== undefined && { [SET_ID]: restarted }),
    ...(hash !== null && { [SECRETS_HASH]: hash }),
    ...(monitoring.scrape && {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(PORTS.admin),
      'prometheus.io/path': '/metrics',
    }),
  };
}

function certificates({ cluster }: Context): Pick<PodParts, 'volumes' | 'mounts'> {
  const tls = cluster.spec.kafka.external?.tls;
  if (!tls?.enabled || tls.caSecretName === undefined) return { volumes: [], mounts: [] };
  const { volume: name, path: mountPath, key } = KAFKA_CA;
  const secret = { secretName: tls.caSecretName, items: [{ key, path: key }] };
  return { volumes: [{ name, secret }], mounts: [{ name, mountPath, readOnly: true }] };
}

function partsOf(context: Context, role: Role): PodParts {
  const spec: RoleSpec = context.cluster.spec[role];
  const { volumes, mounts } = certificates(context);
  const annotations = annotationsOf(context, role);
  const admin = { name: 'admin', containerPort: PORTS.admin };
  return {
    component: role,
    image: serviceImage(context).image,
    args: [role],
    env: roleEnv(context, role),
    ports: role === 'endpoint' ? [{ name: 'http', containerPort: PORTS.http }, admin] : [admin],
    probes: PROBES,
    ...(role === 'endpoint' && { lifecycle: { preStop: { sleep: { seconds: UNLISTED_SECONDS } } } }),
    resources: spec.resources,
    placement: { ...spec.placement, tolerations: tolerationsOfStateless(spec.placement.tolerations ?? []) },
    user: USER,
    added: spec,
    graceSeconds: spec.terminationGracePeriodSeconds,
    volumes: [scratch('tmp', '128Mi'), ...volumes],
    mounts: [{ name: 'tmp', mountPath: '/tmp' }, ...mounts],
    ...(Object.keys(annotations).length > 0 && { annotations }),
    serviceAccountName: childName(context.cluster, role),
  };
}

/**
 * Endpoints or workers. Without `replicas`: that field is the scaler's. A new Deployment has one pod, as the API server
 * gives it, until the scaler's first change, which comes with the same plan.
 */
export function roleDeployment(context: Context, role: Role): KubeObject {
  const { cluster } = context;
  const { made } = setsOf(context, role);
  const annotations = {
    [IMAGE_FROM]: serviceImage(context).from,
    ...(made !== undefined && { [SET_ID]: made }),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMeta(context, role, { annotations }),
    spec: {
      selector: { matchLabels: selectorOf(cluster, role) },
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 600,
      // Endpoints never get fewer while they are replaced. Workers need no more room than they have.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate:
          role === 'endpoint'
            ? { maxUnavailable: 0, maxSurge: 1 }
            : { maxUnavailable: '25%', maxSurge: '25%' },
      },
      template: podTemplate(context, partsOf(context, role)),
    },
  };
}
