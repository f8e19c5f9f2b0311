import type { HashCluster } from './hash-cluster.ts';
import { CLUSTER_SPEC } from './spec.ts';

/**
 * A HashCluster with the defaults of this operator where the API server gave none: its CRD may be older, when it is not
 * the chart that keeps it. What does not fit the schema is left as it is.
 */
export function defaulted(cluster: HashCluster): HashCluster {
  const { success, data } = CLUSTER_SPEC.safeParse(cluster.spec);
  return success ? { ...cluster, spec: data } : cluster;
}
