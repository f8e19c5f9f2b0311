import { readFile } from 'node:fs/promises';
import { createKafkaBus } from '../adapters/kafka/kafka-bus.ts';
import { createKafkaServers } from '../adapters/kafka/kafka-servers.ts';
import { createMongoStore } from '../adapters/mongo/mongo-store.ts';
import type { Bus } from '../ports/bus.ts';
import type { BusServers } from '../ports/bus-servers.ts';
import type { JobStore, StoreOptions } from '../ports/job-store.ts';
import type { Logger } from '../ports/logger.ts';
import { damageReport } from '../runtime/damage-report.ts';
import { unlessAborted } from '../runtime/deadline.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { isFirstOrTenth, retry } from '../runtime/retry.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import type { KafkaSettings, MongoSettings } from './server-settings.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** What starting needs besides. */
export interface Patience {
  readonly logger: Logger;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** The store, when it has come: a process without it waits, for it can do nothing. */
export function storePart(store: JobStore, { logger, signal }: Patience): Part {
  const start = (): Promise<void> =>
    retry(() => store.start(), {
      ...{ budgetMs: Infinity, baseMs: FIRST_WAIT_MS, capMs: LONGEST_WAIT_MS, signal },
      onRetry: (error, attempt) => {
        if (isFirstOrTenth(attempt))
          logger.warn('The store cannot be reached yet', { error, attempts: attempt + 1 });
      },
    });
  // An attempt takes its time; whoever is told to stop does not wait for it.
  return { name: 'store', start: () => unlessAborted(start(), signal), stop: () => store.stop() };
}

export function openStore(
  mongo: MongoSettings,
  options: StoreOptions,
  { logger, metrics }: Telemetry,
): JobStore {
  const onDamaged = damageReport(logger, metrics);
  return createMongoStore({ ...mongo, ...options, logger, metrics, onDamaged });
}

/** The bus for the jobs of this store. Rejects when the certificates to trust cannot be read. */
export async function openBus(
  kafka: KafkaSettings,
  { logger, metrics }: Telemetry,
  store: Pick<JobStore, 'databaseId'>,
): Promise<Bus> {
  const databaseId = (): string | null => store.databaseId?.() ?? null;
  return createKafkaBus({ ...(await trusting(kafka)), databaseId, logger, metrics });
}

/** The servers behind that bus. Rejects likewise. */
export async function openBusServers(kafka: KafkaSettings): Promise<BusServers> {
  return createKafkaServers(await trusting(kafka));
}

/** The settings, with the certificates themselves instead of their file. */
async function trusting({ tls, ...kafka }: KafkaSettings) {
  const ca = tls?.caFile ? await readFile(tls.caFile, 'utf8') : null;
  return { ...kafka, tls: tls && (ca === null ? {} : { ca }) };
}
