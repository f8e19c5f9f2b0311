import type { Action } from './action.ts';
import type { Context } from './desired/context.ts';
import { childName } from './desired/names.ts';
import { DATA, type Server } from './desired/server-set.ts';
import { refOf, type KubeObject } from './kube.ts';
import { fresh, type StorageClassFacts } from './observed.ts';
import { parseQuantity } from './quantity.ts';

const VALID_MS = 300_000;
/** Volumes grow when they are this full, in percent, by a quarter, to whole GiB. */
const FULL_PERCENT = 80;
const GROWTH = 1.25;
const GIB = 1024 ** 3;

/** A PersistentVolumeClaim: what is read of it. */
interface Claim extends KubeObject {
  readonly spec?: {
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
  readonly status?: { readonly capacity?: { readonly storage?: string } };
}

/** A volume that should be larger and cannot be. */
export interface Stuck {
  readonly claim: string;
  readonly message: string;
}

export interface VolumePlan {
  readonly actions: readonly Action[];
  readonly stuck: readonly Stuck[];
}

/** Claims of a server's members, in order. */
export function claimsOf({ observed, cluster }: Context, server: Server): Claim[] {
  const prefix = `${DATA}-${childName(cluster, server)}-`;
  return observed.children.filter(
    ({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name.startsWith(prefix),
  );
}

/** How full a member's disk is, in percent; null while that is not known. */
function fullness({ observed }: Context, server: Server, ordinal: number): number | null {
  const { mongo, kafka } = observed.readings;
  const disk =
    server === 'mongodb'
      ? fresh(mongo, observed.now, VALID_MS)?.disks.find(({ host }) =>
          host.split('.')[0]?.endsWith(`-${ordinal}`),
        )
      : fresh(kafka, observed.now, VALID_MS)?.disks.find(({ broker }) => broker === ordinal);
  return disk && disk.total > 0 ? (disk.used / disk.total) * 100 : null;
}

interface Size {
  readonly bytes: number;
  readonly why: string;
}

/** What a claim asks for, and what it has got. */
function sizesOf({ spec, status }: Claim): { readonly asked: number; readonly got: number } {
  return {
    asked: parseQuantity(spec?.resources?.requests?.storage) ?? 0,
    got: parseQuantity(status?.capacity?.storage) ?? 0,
  };
}

function wantedSize(context: Context, server: Server, claim: Claim): Size {
  const { storage, maxStorage } = context.cluster.spec[server].managed!;
  const spec = { bytes: parseQuantity(storage) ?? 0, why: `storage is ${storage}` };
  if (maxStorage === undefined) return spec;
  const full = fullness(context, server, Number(/-(\d+)$/.exec(claim.metadata.name)?.[1]));
  const { asked, got } = sizesOf(claim);
  // While it is still growing, how full it is says nothing yet.
  if (full === null || full < FULL_PERCENT || got < asked) return spec;
  const grown = Math.min(Math.ceil((asked * GROWTH) / GIB) * GIB, parseQuantity(maxStorage) ?? 0);
  return grown > spec.bytes ? { bytes: grown, why: `the volume is ${Math.round(full)} % full` } : spec;
}

function classOf(classes: readonly StorageClassFacts[], claim: Claim): StorageClassFacts | undefined {
  const name = claim.spec?.storageClassName;
  return classes.find((candidate) => (name === undefined ? candidate.isDefault : candidate.name === name));
}

function expand(context: Context, server: Server, claim: Claim): VolumePlan {
  const nothing = { actions: [], stuck: [] };
  const { bytes, why } = wantedSize(context, server, claim);
  if (bytes <= sizesOf(claim).asked) return nothing;
  const classes = context.observed.storageClasses;
  const storageClass = classes && classOf(classes, claim);
  const storage = bytes % GIB === 0 ? `${bytes / GIB}Gi` : `${bytes / 1024 ** 2}Mi`;
  if (storageClass && !storageClass.allowVolumeExpansion) {
    const { name } = claim.metadata;
    const message = `${name} should have ${storage} (${why}), but StorageClass ${storageClass.name} does not allow expansion`;
    return { actions: [], stuck: [{ claim: name, message }] };
  }
  // Where the class cannot be read, the API server says whether it may be.
  return { actions: [{ kind: 'expandVolume', ref: refOf(claim), storage, why }], stuck: [] };
}

/** Volumes that are to grow, because more storage is asked for or because they are filling up. They never shrink. */
export function planVolumes(context: Context): VolumePlan {
  const { spec } = context.cluster;
  const plans = (['mongodb', 'kafka'] as const)
    .filter((server) => spec[server].managed)
    .flatMap((server) => claimsOf(context, server).map((claim) => expand(context, server, claim)));
  return {
    actions: plans.flatMap(({ actions }) => actions),
    stuck: plans.flatMap(({ stuck }) => stuck),
  };
}
