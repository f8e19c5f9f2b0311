import { CLOCK } from './clock-faults.ts';
import { CUT_ENDPOINT, KILL_ENDPOINT } from './endpoint-faults.ts';
import { CUT_FROM_KAFKA, CUT_FROM_MONGODB, CUT_ONE_WAY, DROP_MONGODB } from './network-faults.ts';
import { EQUAL, REUSE } from './measure-equal.ts';
import { IDLE } from './measure-idle.ts';
import { QUEUE, QUEUE_SUBMITTED } from './measure-queue.ts';
import { SHARING } from './measure-sharing.ts';
import { IDLE_DROP, IDLE_DROP_KAFKAJS } from './idle-drop.ts';
import type { Measurement } from './measure.ts';
import { POISON } from './poison.ts';
import type { Scenario } from './scenario.ts';
import { KILL_EVERYTHING, KILL_PRIMARY, PRIMARY_ALONE, STOP_KAFKA, WIPE_KAFKA } from './server-faults.ts';
import { KILL_WORKER, PAUSE_WORKER } from './worker-faults.ts';
import { WRONG_DIGESTS } from './wrong-digests.ts';

/** Every fault there is; those that leave the servers alone first. */
export const SCENARIOS: readonly Scenario[] = [
  KILL_WORKER,
  PAUSE_WORKER,
  KILL_ENDPOINT,
  CUT_ENDPOINT,
  CUT_FROM_KAFKA,
  CUT_FROM_MONGODB,
  CUT_ONE_WAY,
  IDLE_DROP,
  IDLE_DROP_KAFKAJS,
  CLOCK,
  DROP_MONGODB,
  POISON,
  WRONG_DIGESTS,
  KILL_PRIMARY,
  PRIMARY_ALONE,
  STOP_KAFKA,
  WIPE_KAFKA,
  KILL_EVERYTHING,
];

/** What is measured rather than harmed. */
export const MEASUREMENTS: readonly Measurement[] = [SHARING, EQUAL, REUSE, QUEUE, QUEUE_SUBMITTED, IDLE];
