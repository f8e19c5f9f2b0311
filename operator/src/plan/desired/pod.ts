import type { Placement, Resources } from '../../api/role-spec.ts';
import type { Component } from '../observed.ts';
import type { Context } from './context.ts';
import { labelsOf } from './context.ts';
import { selectorOf } from './names.ts';

/** A volume or a mount; what else it has is its own matter. */
export interface Named {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** What pods differ in. */
export interface PodParts {
  readonly component: Component;
  readonly image: string;
  /** Without the image's own entry point. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly object[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly probes: Readonly<Record<string, unknown>>;
  readonly lifecycle?: object;
  readonly resources: Resources;
  readonly placement: Placement;
  readonly user: number;
  readonly graceSeconds: number;
  readonly volumes: readonly Named[];
  readonly mounts: readonly Named[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the user adds to the pods. */
  readonly added: {
    readonly podLabels?: Readonly<Record<string, string>> | undefined;
    readonly podAnnotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly serviceAccountName: string;
}

/** A directory that lives and dies with the pod. A pod that fills it up is evicted, not the node. */
export function scratch(name: string, sizeLimit: string): Named {
  return { name, emptyDir: { sizeLimit } };
}

/** Requests and limits without the empty ones. */
function resourcesOf({ requests, limits }: Resources) {
  return { requests, ...(Object.keys(limits).length > 0 && { limits }) };
}

function placementOf(context: Context, component: Component, placement: Placement) {
  const { nodeSelector, tolerations, affinity, topologySpread, priorityClassName } = placement;
  const labelSelector = { matchLabels: selectorOf(context.cluster, component) };
  const spread = topologySpread ?? [
    { topologyKey: 'kubernetes.io/hostname', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' },
  ];
  return {
    ...(nodeSelector && { nodeSelector }),
    ...(tolerations && tolerations.length > 0 && { tolerations }),
    ...(affinity && { affinity }),
    ...(priorityClassName !== undefined && { priorityClassName }),
    topologySpreadConstraints: spread.map((constraint) => ({ ...constraint, labelSelector })),
  };
}

function containerOf(context: Context, parts: PodParts) {
  const { command, args, env, lifecycle } = parts;
  return {
    name: parts.component,
    image: parts.image,
    imagePullPolicy: context.cluster.spec.imagePullPolicy,
    ...(command && { command }),
    ...(args && { args }),
    ...(env && env.length > 0 && { env }),
    ports: parts.ports.map((port) => ({ ...port, protocol: 'TCP' })),
    ...parts.probes,
    ...(lifecycle && { lifecycle }),
    resources: resourcesOf(parts.resources),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: parts.mounts,
  };
}

/**
 * The template of a part's pods. It passes Pod Security `restricted`. Nothing in it depends on the operator's version, and
 * what a changed value of it would not change for the process is not in it.
 */
export function podTemplate(context: Context, parts: PodParts): object {
  const { cluster } = context;
  const { component, user, added } = parts;
  const annotations = { ...added.podAnnotations, ...parts.annotations };
  const pull = cluster.spec.imagePullSecrets;
  return {
    metadata: {
      labels: { ...added.podLabels, ...labelsOf(cluster, component) },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      ...(pull.length > 0 && { imagePullSecrets: pull }),
      serviceAccountName: parts.serviceAccountName,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: parts.graceSeconds,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: user, runAsGroup: user, fsGroup: user },
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...placementOf(context, component, parts.placement),
      containers: [containerOf(context, parts)],
      volumes: parts.volumes,
    },
  };
}
