/** A kind of object, as its manifests name it. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names one object. */
export interface Named extends Kind {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** How the API server's paths name the kinds that the operator knows. Every one of them lies in a namespace. */
const PLURALS: Readonly<Record<string, string>> = {
  'hashcluster.io/v1alpha1/HashCluster': 'hashclusters',
  'v1/Event': 'events',
  'v1/ConfigMap': 'configmaps',
  'v1/Pod': 'pods',
  'v1/PersistentVolumeClaim': 'persistentvolumeclaims',
  'v1/Secret': 'secrets',
  'v1/Service': 'services',
  'v1/ServiceAccount': 'serviceaccounts',
  'apps/v1/Deployment': 'deployments',
  'apps/v1/ReplicaSet': 'replicasets',
  'apps/v1/StatefulSet': 'statefulsets',
  'coordination.k8s.io/v1/Lease': 'leases',
  'events.k8s.io/v1/Event': 'events',
  'gateway.networking.k8s.io/v1/HTTPRoute': 'httproutes',
  'metrics.k8s.io/v1beta1/PodMetrics': 'pods',
  'networking.k8s.io/v1/Ingress': 'ingresses',
  'networking.k8s.io/v1/NetworkPolicy': 'networkpolicies',
  'policy/v1/PodDisruptionBudget': 'poddisruptionbudgets',
};

/** `deployments` for a Deployment. Throws for a kind that the operator does not know. */
export function pluralOf({ apiVersion, kind }: Kind): string {
  const plural = PLURALS[`${apiVersion}/${kind}`];
  if (plural === undefined) throw new Error(`The operator does not know the kind ${apiVersion} ${kind}`);
  return plural;
}

/** The path of all objects of a kind, in one namespace or (`undefined`) in all. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const { apiVersion } = kind;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${pluralOf(kind)}`;
}

/** The path of one object, or of a subresource of it: `scale`, `status`, `eviction`. */
export function objectPath(named: Named, subresource?: string): string {
  const own = `${collectionPath(named, named.namespace)}/${encodeURIComponent(named.name)}`;
  return subresource === undefined ? own : `${own}/${subresource}`;
}
