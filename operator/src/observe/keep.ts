import { withoutManagedFields } from '../control/reflector.ts';
import type { KubeObject, ObjectMeta, Pod } from '../plan/kube.ts';

/** Annotations of pods that somebody here reads. */
const READ = /^(hashcluster\.io|controller\.kubernetes\.io)\//;
/** Written by kubectl, as large as the object itself. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function keptMetadata(metadata: ObjectMeta): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } =
    metadata;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const kept = { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp };
  return Object.assign(kept, { labels, annotations, finalizers, ownerReferences }) as ObjectMeta;
}

/** A pod without what nobody reads: about a tenth of it is left. */
export function keepPod(object: KubeObject): Pod {
  const { apiVersion, kind, metadata, spec, status } = object as Pod;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => READ.test(name));
  const { phase, reason, message, podIP, startTime, conditions, containerStatuses } = status ?? {};
  const kept = { phase, reason, message, podIP, startTime, conditions, containerStatuses };
  return {
    ...{ apiVersion, kind },
    metadata: { ...keptMetadata(metadata), annotations: Object.fromEntries(annotations) },
    spec: {
      ...(spec.nodeName !== undefined && { nodeName: spec.nodeName }),
      containers: spec.containers.map(({ name, image }) => ({ name, image })),
    },
    status: { ...kept, initContainerStatuses: status?.initContainerStatuses } as NonNullable<Pod['status']>,
  };
}

/** Any other object, without what is never read and large. */
export function keepObject(object: KubeObject): KubeObject {
  const kept = withoutManagedFields(object);
  if (kept.metadata.annotations?.[LAST_APPLIED] === undefined) return kept;
  const { [LAST_APPLIED]: _dropped, ...annotations } = kept.metadata.annotations;
  return { ...kept, metadata: { ...kept.metadata, annotations } };
}
