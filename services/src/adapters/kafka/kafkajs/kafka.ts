import { Kafka, logLevel, type logCreator, type SASLOptions } from 'kafkajs';
import type { Logger } from '../../../ports/logger.ts';
import type { KafkaConnection } from '../options.ts';
import { CONNECT_MS, REQUEST_MS } from '../timing.ts';
import { guardAgainstNegativeTimeouts } from './negative-timeouts.ts';

/** A start for everything that kafkajs makes. Nothing is connected. */
export function createKafka(connection: KafkaConnection, logger: Logger): Kafka {
  guardAgainstNegativeTimeouts();
  const { brokers, clientId, tls, sasl } = connection;
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    enforceRequestTimeout: true,
    // The bus retries, and knows for how long.
    retry: { retries: 0 },
    logLevel: logLevel.WARN,
    logCreator: logTo(logger.child({ client: 'kafkajs' })),
    ...(tls ? { ssl: tls } : {}),
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
  });
}

/**
 * kafkajs calls an error what happens every day: a group that rebalances, a broker that went away. All of it is handled,
 * and said by the bus where it matters; what kafkajs says about it is for whoever looks closer.
 */
function logTo(logger: Logger): logCreator {
  return () =>
    ({ namespace, log }) => {
      const { message, timestamp: _, ...fields } = log;
      logger.debug(`kafkajs: ${message}`, { namespace, ...fields });
    };
}
