import { DIGEST_PATTERN } from './digest.ts';
import { JOB_ID_PATTERN } from './id.ts';
import type { Topic, Topics } from './messages.ts';

/** The most positions that an alive message carries. */
const MAX_POSITIONS = 1_000;
/** Names of workers, hosts, nodes and backends are shorter than this. */
const MAX_NAME = 512;

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const isJobId: Check = (value) => typeof value === 'string' && JOB_ID_PATTERN.test(value);
const isDigest: Check = (value) => typeof value === 'string' && DIGEST_PATTERN.test(value);
const isName: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
const isFlag: Check = (value) => typeof value === 'boolean';
const isAmount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

/** An object that has these fields. Others may be there as well: a newer version may say more. */
function has(fields: Fields): Check {
  const names = Object.keys(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const given = value as Readonly<Record<string, unknown>>;
    return names.every((name) => Object.hasOwn(given, name) && fields[name]!(given[name]));
  };
}

const isDispatch = has({ id: isJobId, cost: isCount });

const hasOutcome = has({
  id: isJobId,
  outcome: (value) => value === 'done' || value === 'cancelled' || value === 'failed',
  digest: orNull(isDigest),
});
/** A digest is what a done job has, and no other. */
const isFinished: Check = (value) => {
  if (!hasOutcome(value)) return false;
  const { outcome, digest } = value as Topics['results'];
  return (outcome === 'done') === (digest !== null);
};

const isPosition = has({ id: isJobId, position: isCount });
const isPositions: Check = (value) =>
  Array.isArray(value) && value.length <= MAX_POSITIONS && value.every(isPosition);

/** A field that older versions do not send. */
const ifGiven =
  (name: string, check: Check): Check =>
  (value) =>
    !Object.hasOwn(value as object, name) || check((value as Readonly<Record<string, unknown>>)[name]);

const hasAlive = has({
  worker: isName,
  host: isName,
  node: orNull(isName),
  startedAt: isAmount,
  at: isAmount,
  backend: isName,
  engines: isCount,
  lanes: isCount,
  freeLanes: isCount,
  rate: isAmount,
  capacity: isAmount,
  jobs: isCount,
  backlogSeconds: isAmount,
  positions: isPositions,
  cpu: isAmount,
  disk: orNull(has({ free: isAmount, total: isAmount })),
  draining: isFlag,
});
const isUptime = ifGiven('uptimeMs', isAmount);
const isLeft = ifGiven('left', isFlag);
const isAlive: Check = (value) => hasAlive(value) && isUptime(value) && isLeft(value);

const isControl = has({ kind: (value) => value === 'cancel', id: isJobId });

const CHECKS: Readonly<Record<Topic, Check>> = {
  'jobs.0': isDispatch,
  'jobs.1': isDispatch,
  'jobs.2': isDispatch,
  'jobs.3': isDispatch,
  results: isFinished,
  alive: isAlive,
  control: isControl,
};

/** Whether something that came from outside is a message of this topic. */
export function isMessageOf<T extends Topic>(topic: T, value: unknown): value is Topics[T] {
  return CHECKS[topic](value);
}
