import { isIP } from 'node:net';
import type { BaseOptions } from '@platformatic/kafka';
import type { KafkaConnection } from '../options.ts';
import { CONNECT_MS, METADATA_MS, REPLICAS_MS, REQUEST_MS } from '../timing.ts';

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** A server is told by which name it is called; an address is none. Source: RFC 6066, 3 */
function haveNames(brokers: readonly string[]): boolean {
  return brokers.every(
    (broker) => isIP(broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/g, '')) === 0,
  );
}

/** What all clients of this process have in common. They do not retry: the bus does, and knows for how long. */
export function clientOptions({ brokers, clientId, tls, sasl }: KafkaConnection): BaseOptions {
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    timeout: REPLICAS_MS,
    metadataMaxAge: METADATA_MS,
    retries: 0,
    autocreateTopics: false,
    ...(tls ? { tls, tlsServerName: haveNames(brokers) } : {}),
    ...(sasl
      ? { sasl: { mechanism: MECHANISMS[sasl.mechanism], username: sasl.username, password: sasl.password } }
      : {}),
  };
}
