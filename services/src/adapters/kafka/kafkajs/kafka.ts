import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, logLevel, type ISocketFactory, type logCreator, type SASLOptions } from 'kafkajs';
import type { Logger } from '../../../ports/logger.ts';
import { settlesWithin } from '../../../runtime/deadline.ts';
import type { KafkaConnection } from '../options.ts';
import { CONNECT_MS, DISCONNECT_MS, REQUEST_MS } from '../timing.ts';
import { within } from '../within.ts';
import { guardAgainstNegativeTimeouts } from './negative-timeouts.ts';
import { guardPartialClusters } from './partial-clusters.ts';

const KEEP_ALIVE_MS = 60_000;

/** What kafkajs makes, as far as it is connected and disconnected. */
interface Connecting {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/** A start for what kafkajs makes, and its connections, which kafkajs itself does not close when nobody answers. */
export interface Start {
  readonly kafka: Kafka;
  /** Closes in good order, or cuts all connections after `ms`. Never rejects. */
  end(client: Pick<Connecting, 'disconnect'>, ms: number): Promise<void>;
}

/** A client of kafkajs that is connected. */
export interface Connected<T> {
  readonly client: T;
  readonly end: () => Promise<void>;
}

/** A start for one thing that kafkajs makes. Nothing is connected. */
export function createStart(connection: KafkaConnection, logger: Logger): Start {
  const sockets = new Set<Socket>();
  const over = new AbortController();
  const kafka = createKafka(connection, logger, (options) => {
    const socket = openSocket(options);
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    if (over.signal.aborted) socket.destroy(givenUp());
    return socket;
  });
  return {
    kafka,
    end: async (client, ms) => {
      await settlesWithin(client.disconnect(), ms).catch(() => {});
      over.abort();
      // With an error: kafkajs then gives up what it waits for.
      for (const socket of sockets) socket.destroy(givenUp());
    },
  };
}

/** Connects what is made. Rejects after `REQUEST_MS` at the latest, and leaves no connection then. */
export async function connected<T extends Connecting>(
  start: Start,
  make: (kafka: Kafka) => T,
): Promise<Connected<T>> {
  const client = make(start.kafka);
  const end = (): Promise<void> => start.end(client, DISCONNECT_MS);
  try {
    await within(client.connect(), REQUEST_MS, 'Connecting');
  } catch (error) {
    await end();
    throw error;
  }
  return { client, end };
}

/** For everything that kafkajs makes. Nothing is connected. */
export function createKafka(
  connection: KafkaConnection,
  logger: Logger,
  socketFactory: ISocketFactory = openSocket,
): Kafka {
  guardAgainstNegativeTimeouts();
  guardPartialClusters();
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
    socketFactory,
    ...(tls ? { ssl: tls } : {}),
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
  });
}

function givenUp(): Error {
  return new Error('The connection was given up');
}

/** As kafkajs does it by itself. */
function openSocket({ host, port, ssl, onConnect }: Parameters<ISocketFactory>[0]): Socket {
  const name = isIP(host) === 0 ? { servername: host } : {};
  // kafkajs says `ssl: null` where there is none.
  const options = ssl as object | null;
  const socket = options
    ? connectTls({ host, port, ...name, ...options }, onConnect)
    : connectTcp({ host, port }, onConnect);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
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
