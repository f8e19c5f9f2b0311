import { mongoUsers } from '../desired/mongodb.ts';
import { isWhole, mongoReport, takesPart } from '../mongo-steps.ts';
import { fresh, type Reading } from '../observed.ts';
import { creationFailures, missingKeys, whyNoStore } from './causes.ts';
import type { Facts } from './facts.ts';
import { no, unknown, yes, type Verdict } from './verdict.ts';

const VALID_MS = 60_000;

function whyUnknown(reading: Reading<unknown> | null, what: string): string {
  if (reading === null) return `${what} has not been asked yet`;
  return 'error' in reading ? `${what} does not answer: ${reading.error}` : `${what} was last heard long ago`;
}

function missing(secret: string | undefined, facts: Facts): Verdict | null {
  if (secret === undefined) return null;
  if (facts.missingSecrets.includes(secret)) {
    return no(
      'SecretMissing',
      `Secret ${secret} does not exist. Create it, with the keys that the spec describes`,
    );
  }
  const key = missingKeys(facts).find((each) => each.secret === secret);
  return key ? no('SecretKeyMissing', key.message) : null;
}

/** Of a store that others run is known what the endpoints know: they are not ready without it. */
function externalStore(facts: Facts, secretName: string): Verdict {
  const absent = missing(secretName, facts);
  if (absent) return absent;
  if (facts.counts.endpoint.ready > 0) return yes('Reached', 'Endpoints are ready, so they reach MongoDB');
  return (
    whyNoStore(facts) ??
    unknown('NotKnown', 'No endpoint is ready, and none has said yet whether it reaches MongoDB')
  );
}

function managedStore(facts: Facts): Verdict {
  const { context, counts } = facts;
  const report = mongoReport(context);
  const pods = `${counts.mongodb.ready}/${counts.mongodb.desired} pods ready`;
  if (report === null) {
    const failed = creationFailures(facts).find(({ component }) => component === 'mongodb');
    if (failed && counts.mongodb.ready === 0) return no(failed.reason, `${pods}; ${failed.message}`);
    const why = whyUnknown(context.observed.readings.mongo, 'MongoDB');
    return counts.mongodb.ready === 0
      ? no('NotRunning', `${pods}; ${why}`)
      : unknown('NotKnown', `${pods}; ${why}`);
  }
  if (!report.config) return no('NotInitiated', `The replica set waits until all its pods run: ${pods}`);
  if (report.primary === null) {
    return no('NoPrimary', `The replica set has no primary, so nothing can be written: ${pods}`);
  }
  const known = new Set(report.users ?? []);
  const absent = mongoUsers(context).filter(({ name }) => !known.has(name));
  if (absent.length > 0) {
    return no('UsersMissing', `Users are still to be made: ${absent.map(({ name }) => name).join(', ')}`);
  }
  if (isWhole(report)) return yes('Healthy', 'The replica set has a primary, and all members are healthy');
  const away = report.config.members.filter(({ host }) => !takesPart(report, host));
  const hosts = away.map(({ host }) => host).join(', ');
  return yes('MemberUnavailable', `The replica set has a primary, but members are unavailable: ${hosts}`);
}

/** Whether jobs can be kept. */
export function storeReady(facts: Facts): Verdict {
  const { external } = facts.context.cluster.spec.mongodb;
  return external ? externalStore(facts, external.secretName) : managedStore(facts);
}

function managedBus({ context, counts }: Facts): Verdict {
  const { readings, now } = context.observed;
  const { ready, desired } = counts.kafka;
  const report = fresh(readings.kafka, now, VALID_MS);
  const available = report ? Math.min(report.brokers.length, ready) : ready;
  const says = `${available}/${desired} brokers available`;
  if (desired === 0 || available * 2 <= desired) {
    return no('BrokersUnavailable', `${says}: jobs are stored and processed, but dispatched later`);
  }
  return available < desired ? yes('BrokerUnavailable', says) : yes('Healthy', says);
}

/** Whether news travels quickly. No job depends on it. */
export function busReady(facts: Facts): Verdict {
  const { external } = facts.context.cluster.spec.kafka;
  if (!external) return managedBus(facts);
  const absent = missing(external.secretName, facts) ?? missing(external.tls.caSecretName, facts);
  return (
    absent ??
    unknown('External', 'Kafka is run by somebody else; endpoints and workers tell of it under /healthz')
  );
}
