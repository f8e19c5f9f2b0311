import type { ClusterSpec } from './spec.ts';
import type { ClusterStatus } from './status.ts';

export const GROUP = 'hashcluster.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'HashCluster';
export const PLURAL = 'hashclusters';

/** Keeps a HashCluster until its parts have been stopped in order. */
export const FINALIZER = `${GROUP}/drain`;

/** A HashCluster as the API server has it: defaulted and checked by the CRD. */
export interface HashCluster {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof KIND;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: ClusterSpec;
  readonly status?: ClusterStatus;
}
