import { z } from 'zod';
import {
  HEALING_SPEC,
  INGRESS_SPEC,
  LIMITS_SPEC,
  MONITORING_SPEC,
  NETWORK_POLICY_SPEC,
} from './access-spec.ts';
import { ENDPOINT_SPEC, WORKER_SPEC } from './role-spec.ts';
import { about, mapListOf, name, text } from './schema-kit.ts';
import { KAFKA_SPEC, MONGO_SPEC } from './server-spec.ts';

/** `spec` of a HashCluster, after defaulting. */
export type ClusterSpec = z.output<typeof CLUSTER_SPEC>;
/** `spec` as people write it. */
export type ClusterSpecInput = NonNullable<z.input<typeof CLUSTER_SPEC>>;

/** What the service takes, within its bounds: a minute to a century. */
const DURATION = /^[1-9][0-9]{0,3}[mhd]$/;

/** A field that is agreed upon, and whose feature this version has not: turning it on is refused, not ignored. */
function notYet(description: string, field: string) {
  return z
    .object({
      enabled: z
        .boolean()
        .default(false)
        .meta(
          about('Must be false in this version.', { rule: '!self', message: `${field} is not there yet` }),
        ),
    })
    .prefault({})
    .meta(about(description));
}

function images() {
  return {
    version: text(
      'The version to run: the tag of the image. Without it, the operator’s own of the day the cluster was made.',
      128,
    )
      .regex(/^[\w][\w.-]*$/)
      .optional(),
    image: text('The image to run, in place of the operator’s; may name a tag or a digest.', 512).optional(),
    imagePullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .default('IfNotPresent')
      .meta(about('When images are pulled.')),
    imagePullSecrets: z
      .array(z.object({ name: name('The name of a Secret.') }))
      .max(8)
      .default([])
      .meta({ ...about('Secrets for pulling images.'), ...mapListOf('name') }),
  };
}

/** `spec`. What is not given has a default, so that `spec: {}` is whole. */
export const CLUSTER_SPEC = z
  .object({
    ...images(),
    paused: z
      .boolean()
      .default(false)
      .meta(about('Leave everything as it is: nothing is applied, scaled or healed. Deleting goes on.')),
    deletionPolicy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .meta(about('What becomes of volumes and their credentials when the HashCluster is deleted.')),
    endpoint: ENDPOINT_SPEC,
    worker: WORKER_SPEC,
    limits: LIMITS_SPEC,
    auth: notYet('API keys.', 'auth'),
    cache: z
      .object({
        shared: z.boolean().default(true).meta(about('Whether tenants use each other’s results.')),
      })
      .prefault({})
      .meta(about('Reuse of results.')),
    retention: z
      .object({
        results: text('How long after its last use a result is kept, such as 30d.', 32, DURATION).default(
          '30d',
        ),
      })
      .prefault({})
      .meta(about('How long things are kept.')),
    ingress: INGRESS_SPEC,
    mongodb: MONGO_SPEC,
    kafka: KAFKA_SPEC,
    backup: notYet('Backups.', 'backup'),
    healing: HEALING_SPEC,
    networkPolicy: NETWORK_POLICY_SPEC,
    logging: z
      .object({
        level: z
          .enum(['silent', 'error', 'warn', 'info', 'debug'])
          .default('info')
          .meta(about('What is logged.')),
        format: z.enum(['json', 'pretty']).default('json').meta(about('How it is written.')),
      })
      .prefault({})
      .meta(about('Logs of endpoints and workers.')),
    monitoring: MONITORING_SPEC,
  })
  .prefault({})
  .meta(
    about('What the cluster should be. Everything has a default.', {
      rule: '!(has(self.version) && has(self.image))',
      message: 'only one of version and image can be given',
    }),
  );
