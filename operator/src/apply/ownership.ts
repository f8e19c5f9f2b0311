import { controllerOf, controllerRefOf, type KubeObject } from '../plan/kube.ts';

/** An object of the wanted name exists, and this HashCluster does not control it: it is left as it is. */
export class NotControlled extends Error {
  override readonly name = 'NotControlled';

  constructor(live: KubeObject, what: 'it' | 'claim' = 'it') {
    const name = what === 'it' ? 'it' : `PersistentVolumeClaim ${live.metadata.name}`;
    super(`${name} already exists and is not controlled by this HashCluster (${ownerText(live)})`);
  }
}

function ownerText(live: KubeObject): string {
  const owner = controllerRefOf(live);
  return owner === undefined ? 'it has no controller' : `its controller is ${owner.kind} ${owner.name}`;
}

/**
 * Whether a live object is the one that a desired object stands for: the same controller, by uid. What has no controller by
 * intention, because it outlives its HashCluster, is known by all labels of the desired object.
 */
export function isSameOwner(desired: KubeObject, live: KubeObject): boolean {
  const [wanted, is] = [controllerOf(desired), controllerOf(live)];
  if (wanted !== null) return wanted === is;
  return is === null && hasLabelsOf(desired, live);
}

/** Whether a live object carries all labels of a desired one: for claims, whose controller is a matter of their StatefulSet. */
export function hasLabelsOf(desired: KubeObject, live: KubeObject): boolean {
  const labels = Object.entries(desired.metadata.labels ?? {});
  return labels.every(([name, value]) => live.metadata.labels?.[name] === value);
}
