import { KAFKA_CA } from '../desired/role-env.ts';
import { secretNamed } from '../desired/context.ts';
import { fresh, type Observed, type Role } from '../observed.ts';
import type { Facts } from './facts.ts';
import { no, yes, type Verdict } from './verdict.ts';

/** What a probe said is believed for so long, in milliseconds. */
const VALID_MS = 60_000;

interface FailingProbe {
  readonly component: Role;
  readonly pod: string;
  readonly checks: Readonly<Record<string, string>>;
}

function failingProbes({ readings, now }: Observed): FailingProbe[] {
  return readings.probes.flatMap(({ component, pod, checks }) => {
    const value = fresh(checks, now, VALID_MS);
    return value === null || Object.keys(value).length === 0 ? [] : [{ component, pod, checks: value }];
  });
}

/** Why pods of a role are not ready, by the word of one of them; null: none has said so. */
export function whyUnready({ context }: Facts, role: Role): string | null {
  const probe = failingProbes(context.observed).find(({ component }) => component === role);
  if (!probe) return null;
  const checks = Object.entries(probe.checks).map(([name, says]) => `${name}: ${says}`);
  return `Pod ${probe.pod}: ${checks.join(', ')}`;
}

/** Why an external store cannot be used, by the word of pods that try; null: nobody knows. */
export function whyNoStore({ context, healing }: Facts): Verdict | null {
  const probe = failingProbes(context.observed).find(({ checks }) => checks['store'] !== undefined);
  if (probe) return no('StoreUnreachable', `Pod ${probe.pod}: ${probe.checks['store']}`);
  const failed = healing.patients.find(
    ({ component, startFailure }) => component === 'endpoint' && startFailure !== null,
  );
  return failed ? no(failed.startFailure!, `Pod ${failed.pod.metadata.name}: ${failed.says}`) : null;
}

/** Why pods of managed servers cannot be created: their StatefulSets do not say. */
export function creationFailures({ context }: Facts): (Verdict & { component: 'mongodb' | 'kafka' })[] {
  const { readings, now } = context.observed;
  return readings.creations.flatMap(({ component, failure }) => {
    const message = fresh(failure, now, VALID_MS);
    return message === null ? [] : [{ ...yes('FailedCreate', `${component}: ${message}`), component }];
  });
}

/** A key that pods need and that a Secret of others does not have. */
export interface MissingKey {
  readonly secret: string;
  readonly message: string;
}

/** Keys that are missing in the Secrets that the spec names; a Secret that is not there is another matter. */
export function missingKeys({ context }: Facts): MissingKey[] {
  const { mongodb, kafka } = context.cluster.spec;
  const bus = kafka.external;
  const needed: readonly (readonly [string | undefined, readonly string[]])[] = [
    [mongodb.external?.secretName, ['uri']],
    [bus?.secretName, ['username', 'password']],
    [bus?.tls.enabled ? bus.tls.caSecretName : undefined, [KAFKA_CA.key]],
  ];
  return needed.flatMap(([secret, keys]) => {
    const facts = secret === undefined ? null : secretNamed(context, secret);
    if (facts === null || secret === undefined) return [];
    const absent = keys.filter((key) => !facts.keys.includes(key));
    const what = absent.length > 1 ? 'keys' : 'key';
    return absent.length === 0
      ? []
      : [{ secret, message: `Secret ${secret} has no ${what} ${absent.join(', ')}` }];
  });
}
