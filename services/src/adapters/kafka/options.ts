import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';

/** The clients that there is an adapter for. */
export const KAFKA_CLIENTS = ['platformatic', 'kafkajs'] as const;
export type KafkaClientName = (typeof KAFKA_CLIENTS)[number];

/** How to say who we are. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** Where Kafka is and how to talk to it. */
export interface KafkaConnection {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[];
  /** What this process is called in the broker's logs. */
  readonly clientId: string;
  /** Null or left out: no encryption. `ca`, `cert` and `key` as Node.js takes them. */
  readonly tls?: SecureContextOptions | null;
  readonly sasl?: KafkaSasl | null;
}

export interface KafkaBusOptions extends KafkaConnection {
  readonly client: KafkaClientName;
  /** Goes before the name of every topic and group, so that several clusters can share a Kafka. */
  readonly topicPrefix: string;
  /** Partitions of each topic of jobs: no more workers than that take jobs of a class from the bus. */
  readonly partitions: number;
  /** Brokers that keep a copy of each topic. With 3 or more, a message is safe when two have it. */
  readonly replication: number;
  /**
   * The id of the database that jobs are in, 8 hexadecimal characters, as it is known at this moment: messages carry it, and
   * those with another one are dropped. Null while it is not known; absent: messages are not told apart.
   */
  readonly databaseId?: () => string | null;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
}
