import { mongoUsers } from '../desired/mongodb.ts';
import type { Context } from '../desired/context.ts';
import { claimsWithData, knownSetsOf, mongoReport, SET_ID, strangersOf, takesPart } from '../mongo-set.ts';
import { fresh } from '../observed.ts';
import { podsOf } from '../pods.ts';
import { creationFailures, missingKeys, whyNoStore } from './causes.ts';
import type { Facts } from './facts.ts';
import { no, unknown, yes, type Verdict } from './verdict.ts';

const VALID_MS = 60_000;

function whyUnknown({ observed }: Context, what: string): string {
  const reading = observed.readings.mongo;
  const runs = podsOf(observed, 'mongodb').some(({ status }) => status?.phase === 'Running');
  if (reading === null) return runs ? `${what} has not been asked yet` : 'none of its pods runs';
  const at = new Date(reading.at).toISOString();
  return 'error' in reading ? `${what} does not answer: ${reading.error}` : `${what} was last heard at ${at}`;
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

/** Why a managed MongoDB cannot be used while nobody answers, or while no set was chosen. */
function withoutConfig(facts: Facts): Verdict {
  const { context, counts } = facts;
  const pods = `${counts.mongodb.ready}/${counts.mongodb.desired} pods ready`;
  const known = knownSetsOf(context);
  const claims = claimsWithData(context);
  if (known.length === 0 && claims.length === 0) {
    return no('NotInitiated', `The replica set waits until all its pods run: ${pods}`);
  }
  const set = known.length === 0 ? 'a replica set' : `replica set ${known.join(' and ')}`;
  const names = claims.map(({ name, left }) => (left ? `${name} (left the set before)` : name)).join(', ');
  return no(
    'DataMissing',
    `No member that answers has the data of ${set}, so nothing is made anew: ${pods}. It may be in ${names || 'volumes that are gone'}. ` +
      'If that data is lost for good, delete these PersistentVolumeClaims; then a new, empty replica set is made',
  );
}

function mismatch(facts: Facts): Verdict | null {
  const { context } = facts;
  const { name, namespace } = context.cluster.metadata;
  const strangers = strangersOf(context);
  const known = knownSetsOf(context);
  if (strangers.length === 0 && known.length < 2) return null;
  const says = strangers.map(({ host, setId }) => `${host.split('.')[0]!} has data of ${setId}`).join(', ');
  const decide = `kubectl annotate hashcluster ${name} -n ${namespace} ${SET_ID}=ID`;
  return no(
    'ReplicaSetMismatch',
    known.length > 1
      ? `Volumes have data of different replica sets: ${known.join(', ')}. Decide which one is served: ${decide}`
      : `The data of this cluster is in replica set ${known[0] ?? 'unknown'}, but ${says}. Such members are kept out of service. ` +
          `Save what is needed of them and delete their PersistentVolumeClaims and pods, or decide for the other set: ${decide}`,
  );
}

function managedStore(facts: Facts): Verdict {
  const { context, counts } = facts;
  const report = mongoReport(context);
  const pods = `${counts.mongodb.ready}/${counts.mongodb.desired} pods ready`;
  if (report === null) {
    const failed = creationFailures(facts).find(({ component }) => component === 'mongodb');
    if (failed && counts.mongodb.ready === 0) return no(failed.reason, `${pods}; ${failed.message}`);
    const why = whyUnknown(context, 'MongoDB');
    return counts.mongodb.ready === 0
      ? no('NotRunning', `${pods}; ${why}`)
      : unknown('NotKnown', `${pods}; ${why}`);
  }
  const wrong = mismatch(facts);
  if (wrong) return wrong;
  if (!report.config) return withoutConfig(facts);
  const away = report.config.members.filter(({ host }) => !takesPart(report, host));
  const hosts = away.map(({ host }) => host).join(', ');
  if (report.primary === null) {
    const size = report.config.members.length;
    return no(
      'NoPrimary',
      `The replica set has no primary, so nothing can be written: ${pods}, its configuration has ${size} members, unavailable: ${hosts}`,
    );
  }
  const known = new Set(report.users ?? []);
  const absent = mongoUsers(context).filter(({ name }) => !known.has(name));
  if (absent.length > 0) {
    return no('UsersMissing', `Users are still to be made: ${absent.map(({ name }) => name).join(', ')}`);
  }
  if (away.length === 0) return yes('Healthy', 'The replica set has a primary, and all members are healthy');
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
