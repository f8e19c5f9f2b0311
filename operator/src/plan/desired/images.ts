import { liveChild, type Context } from './context.ts';
import { childName } from './names.ts';

/** Says on a workload who chose its image. */
export const IMAGE_FROM = 'hashcluster.io/image-from';

/** An image, and who chose it. */
export interface Image {
  readonly image: string;
  readonly from: 'spec' | 'operator';
}

interface Workload {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
}

/**
 * The image of a workload. Where the spec names none it is the operator's of the day on which the workload was made: a
 * newer operator alone restarts nothing.
 */
function imageOf(live: unknown, chosen: string | null, standard: string): Image {
  if (chosen !== null) return { image: chosen, from: 'spec' };
  const workload = live as Workload | null;
  const kept = workload?.spec?.template?.spec?.containers?.[0]?.image;
  const ours = workload?.metadata.annotations?.[IMAGE_FROM] === 'operator';
  return { image: ours && kept !== undefined ? kept : standard, from: 'operator' };
}

/** An image with another tag. A digest goes with the tag: it would be that of another version. */
export function withTag(image: string, tag: string): string {
  const [name = ''] = image.split('@');
  const colon = name.lastIndexOf(':');
  return `${colon > name.lastIndexOf('/') ? name.slice(0, colon) : name}:${tag}`;
}

/** What endpoints and workers run. Both have the same, so the endpoints' own says what is kept. */
export function serviceImage(context: Context): Image {
  const { spec } = context.cluster;
  const standard = context.observed.defaults.images.hashcluster;
  const chosen = spec.image ?? (spec.version === undefined ? null : withTag(standard, spec.version));
  return imageOf(liveChild(context, 'Deployment', childName(context.cluster, 'endpoint')), chosen, standard);
}

/** What a managed server runs. */
export function serverImage(context: Context, server: 'mongodb' | 'kafka'): Image {
  const chosen = context.cluster.spec[server].managed?.image ?? null;
  const live = liveChild(context, 'StatefulSet', childName(context.cluster, server));
  return imageOf(live, chosen, context.observed.defaults.images[server]);
}
