import type { ClusterSpecInput } from '../../api/spec.ts';
import type { KubeObject } from '../kube.ts';
import { controlled, scene } from '../testing/scene.ts';
import type { Observed } from '../observed.ts';
import { serverSets } from '../servers.ts';
import { surroundings } from './children.ts';
import type { Context } from './context.ts';
import { roleDeployment } from './deployments.ts';

/** A new cluster named `hc` in the namespace `ns`. */
export function contextOf(spec: ClusterSpecInput = {}, more: Partial<Observed> = {}): Context {
  const { children = [] } = more;
  const observed = { ...scene({ spec }), ...more, children: children.map(controlled) };
  return { cluster: observed.cluster, observed };
}

/** Every child but Secrets. */
export function allChildren(context: Context): KubeObject[] {
  const roles = [roleDeployment(context, 'endpoint'), roleDeployment(context, 'worker')];
  return [...surroundings(context), ...serverSets(context), ...roles];
}

export interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  readonly image: string;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodTemplate {
  readonly metadata: { readonly labels: object; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly automountServiceAccountToken: boolean;
    readonly containers: readonly [Container];
    readonly volumes: readonly Readonly<Record<string, unknown>>[];
    readonly [field: string]: unknown;
  };
}

/** The template of a workload's pods. */
export function templateOf(workload: KubeObject): PodTemplate {
  return (workload['spec'] as { readonly template: PodTemplate }).template;
}

/** Variables of a workload's container that have a value. */
export function envOf(workload: KubeObject): Record<string, string> {
  const entries = templateOf(workload).spec.containers[0].env ?? [];
  return Object.fromEntries(
    entries.map(({ name, value, valueFrom }) => [name, value ?? JSON.stringify(valueFrom)]),
  );
}
