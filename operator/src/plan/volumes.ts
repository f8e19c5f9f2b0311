import type { Action } from './action.ts';
import { labelsOf, type Context } from './desired/context.ts';
import { childName } from './desired/names.ts';
import { DATA, type Server } from './desired/server-set.ts';
import { refOf, type KubeObject } from './kube.ts';
import { fresh, type StorageClassFacts } from './observed.ts';
import { timeOf } from './pods.ts';
import { parseQuantity } from './quantity.ts';

const VALID_MS = 300_000;
/** Volumes grow when they are this full, in percent, by a quarter, to whole GiB. */
const FULL_PERCENT = 80;
const GROWTH = 1.25;
const GIB = 1024 ** 3;
/** When the last resize was asked for, RFC 3339. */
export const RESIZE_REQUESTED = 'hashcluster.io/resize-requested';
/** A resize that is not done after so many milliseconds is told to have failed. */
const RESIZE_MS = 600_000;

/** A PersistentVolumeClaim: what is read of it. */
interface Claim extends KubeObject {
  readonly spec?: {
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
  readonly status?: {
    readonly capacity?: { readonly storage?: string };
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
    /** Source: Kubernetes API, `core/v1 ClaimResourceStatus`. */
    readonly allocatedResourceStatuses?: Readonly<Record<string, string>>;
  };
}

/** A volume that should be larger and cannot be. */
export interface Stuck {
  readonly claim: string;
  readonly message: string;
}

export interface VolumePlan {
  readonly actions: readonly Action[];
  readonly stuck: readonly Stuck[];
  /** Accepted, and not done yet. */
  readonly resizing: readonly Stuck[];
}

/** Claims of a server's members, in order. */
export function claimsOf({ observed, cluster }: Context, server: Server): Claim[] {
  const prefix = `${DATA}-${childName(cluster, server)}-`;
  const labels = Object.entries(labelsOf(cluster, server));
  return observed.children.filter(
    (child) =>
      child.kind === 'PersistentVolumeClaim' &&
      /^\d+$/.test(child.metadata.name.startsWith(prefix) ? child.metadata.name.slice(prefix.length) : '') &&
      labels.every(([name, value]) => child.metadata.labels?.[name] === value),
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
  const { bytes, why } = wantedSize(context, server, claim);
  if (bytes <= sizesOf(claim).asked) return resize(context, claim);
  const classes = context.observed.storageClasses;
  const storageClass = classes && classOf(classes, claim);
  const storage = bytes % GIB === 0 ? `${bytes / GIB}Gi` : `${bytes / 1024 ** 2}Mi`;
  if (storageClass && !storageClass.allowVolumeExpansion) {
    const { name } = claim.metadata;
    const message = `${name} should have ${storage} (${why}), but StorageClass ${storageClass.name} does not allow expansion`;
    return { actions: [], stuck: [{ claim: name, message }], resizing: [] };
  }
  // Where the class cannot be read, the API server says whether it may be.
  const action: Action = {
    kind: 'expandVolume',
    ref: refOf(claim),
    storage,
    why,
    at: instant(context.observed.now),
  };
  return { actions: [action], stuck: [], resizing: [] };
}

/** RFC 3339, without the fraction. */
function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Conditions, and ends of `allocatedResourceStatuses`, by which a resizer says that it has failed. */
const FAILED = ['ControllerResizeError', 'NodeResizeError'];
const INFEASIBLE = /(Infeasible|Failed)$/;

/** Why a resize has failed, as the storage driver or the kubelet says; null: it has not. */
function resizeError({ status }: Claim): string | null {
  const { conditions = [], allocatedResourceStatuses = {} } = status ?? {};
  const failed = conditions.find((each) => each.status === 'True' && FAILED.includes(each.type));
  if (failed) return failed.message ?? failed.type;
  return Object.values(allocatedResourceStatuses).find((text) => INFEASIBLE.test(text)) ?? null;
}

/** A resize that was accepted: it takes minutes, where a driver does it at all. */
function resize({ observed }: Context, claim: Claim): VolumePlan {
  const { asked, got } = sizesOf(claim);
  const nothing = { actions: [], stuck: [], resizing: [] };
  if (got === 0 || got >= asked) return nothing;
  const { name } = claim.metadata;
  const [from, to] = [claim.status?.capacity?.storage, claim.spec?.resources?.requests?.storage];
  const message = `Resizing ${name} from ${from} to ${to}`;
  const why = resizeError(claim) ?? lateness(claim, observed.now);
  return why === null
    ? { ...nothing, resizing: [{ claim: name, message }] }
    : { ...nothing, stuck: [{ claim: name, message: `${message}: ${why}` }] };
}

function lateness({ metadata }: Claim, now: number): string | null {
  const requested = metadata.annotations?.[RESIZE_REQUESTED];
  const since = timeOf(requested);
  if (since === null || now - since < RESIZE_MS) return null;
  return `accepted at ${requested}, and not done since: check the storage driver`;
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
    resizing: plans.flatMap(({ resizing }) => resizing),
  };
}
