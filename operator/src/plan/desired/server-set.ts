import type { ManagedServer } from '../../api/server-spec.ts';
import type { KubeObject } from '../kube.ts';
import { childMeta, isAtHome, labelsOf, liveChild, type Context } from './context.ts';
import { IMAGE_FROM, serverImage } from './images.ts';
import { childName, selectorOf } from './names.ts';
import { podTemplate, type PodParts } from './pod.ts';

/** The volume of a member, and the claim's name before the pod's. */
export const DATA = 'data';

export type Server = 'mongodb' | 'kafka';

/** A member's pod, but what is the same for all servers. */
export type ServerParts = Omit<
  PodParts,
  'component' | 'image' | 'resources' | 'placement' | 'serviceAccountName' | 'added'
>;

interface Claimed {
  readonly spec?: {
    readonly volumeClaimTemplates?: readonly {
      readonly spec?: { readonly resources?: { readonly requests?: { readonly storage?: string } } };
    }[];
  };
}

/** Templates of claims cannot be changed; claims that are there are expanded one by one. */
function claimedStorage(context: Context, server: Server, { storage }: ManagedServer): string {
  const live = liveChild(context, 'StatefulSet', childName(context.cluster, server)) as Claimed | null;
  return live?.spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage ?? storage;
}

function claimTemplate(context: Context, server: Server, managed: ManagedServer): object {
  const { storageClassName } = managed;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    // No owner: whether data goes with the cluster is a matter of its deletionPolicy.
    metadata: { name: DATA, labels: labelsOf(context.cluster, server) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      resources: { requests: { storage: claimedStorage(context, server, managed) } },
      ...(storageClassName !== undefined && { storageClassName }),
    },
  };
}

/** Where there is a finalizer it deletes the claims, in order. */
function whenDeleted(context: Context): 'Delete' | 'Retain' {
  return isAtHome(context) && context.cluster.spec.deletionPolicy === 'Delete' ? 'Delete' : 'Retain';
}

/**
 * A StatefulSet of a managed server. A new template waits until its pods are evicted, which is done one by one, in the
 * order that costs least.
 */
export function serverSet(
  context: Context,
  server: Server,
  { parts, replicas }: { readonly parts: ServerParts; readonly replicas: number },
): KubeObject {
  const { cluster } = context;
  const managed = cluster.spec[server].managed!;
  const { image, from } = serverImage(context, server);
  const { resources, placement } = managed;
  const name = childName(cluster, server);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: childMeta(context, server, { annotations: { [IMAGE_FROM]: from } }),
    spec: {
      replicas,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      revisionHistoryLimit: 3,
      selector: { matchLabels: selectorOf(cluster, server) },
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: whenDeleted(context), whenScaled: 'Retain' },
      template: podTemplate(context, {
        ...{ ...parts, component: server, image, resources, placement, serviceAccountName: name },
        added: managed,
      }),
      volumeClaimTemplates: [claimTemplate(context, server, managed)],
    },
  };
}
