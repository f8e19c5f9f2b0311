import { connect } from 'node:net';
import { Container, newSetName, type ContainerSpec } from './container.ts';
import { KAFKA_DATA, kafkaProperties, type KafkaPorts } from './kafka-properties.ts';
import { freePorts } from './ports.ts';

const IMAGE = 'apache/kafka:4.3.1';
/** The user `appuser` of the image. */
const USER = '1000:1000';
const START_MS = 120_000;
const PROBE_MS = 2_000;
const CLUSTER_ID = 'hashclusterTests000000';

/** Formats the storage where it is not, and becomes the broker. */
const SCRIPT = `
set -e
printf %s "$SERVER_PROPERTIES" > /tmp/server.properties
cd /opt/kafka
[ -f ${KAFKA_DATA}/meta.properties ] || bin/kafka-storage.sh format --standalone --cluster-id ${CLUSTER_ID} --config /tmp/server.properties
exec bin/kafka-server-start.sh /tmp/server.properties
`;

export interface KafkaOptions {
  /** What it is for; a part of the container's name. */
  readonly name: string;
  /** For tests of what a bus does, not of what it keeps: data in memory and a small heap. */
  readonly fast?: boolean;
  /** Who removes it when this process does not: see {@link ContainerSpec.owner}. */
  readonly owner?: string;
}

/** A Kafka broker of our own on 127.0.0.1. */
export class KafkaServer {
  /** What a client connects to: `host:port`. */
  readonly broker: string;
  readonly port: number;
  readonly #container: Container;

  private constructor(options: KafkaOptions, ports: KafkaPorts) {
    this.port = ports.clients;
    this.broker = `127.0.0.1:${ports.clients}`;
    this.#container = new Container(specOf(options, newSetName(options.name), ports));
  }

  /** Starts it and waits until it answers. Removes it again and rejects when that fails. */
  static async start(options: KafkaOptions): Promise<KafkaServer> {
    const [clients, controller] = await freePorts(2);
    const server = new KafkaServer(options, { clients: clients!, controller: controller! });
    try {
      await server.#container.run();
      await server.#answers();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get containers(): readonly string[] {
    return [this.#container.name];
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#container.kill();
  }

  /** SIGTERM. */
  stop(): Promise<void> {
    return this.#container.stop();
  }

  /** Starts it again after it was killed or stopped, and waits until it answers. */
  async start(): Promise<void> {
    await this.#container.start();
    await this.#answers();
  }

  /** SIGSTOP, in effect: its connections stay open and nothing answers. */
  pause(): Promise<void> {
    return this.#container.pause();
  }

  unpause(): Promise<void> {
    return this.#container.unpause();
  }

  /** Deletes its data, topics and offsets included, and starts it again. */
  async wipe(): Promise<void> {
    await this.#container.remove();
    await this.#container.run();
    await this.#answers();
  }

  /** Removes it with its data. */
  close(): Promise<void> {
    return this.#container.remove();
  }

  async #answers(): Promise<void> {
    await this.#container.answers(START_MS, () => kafkaAnswers(this.port));
  }
}

/** Whether a broker on 127.0.0.1 answers the request that every client begins with (ApiVersions, version 0). */
export function kafkaAnswers(port: number): Promise<boolean> {
  // Length, then key 18, version 0, correlation id, no client id: https://kafka.apache.org/protocol
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_MS });
    const end = (answered: boolean) => () => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => socket.write(request));
    socket.once('data', end(true));
    for (const event of ['timeout', 'error', 'close']) socket.once(event, end(false));
  });
}

function specOf({ fast = false, owner }: KafkaOptions, set: string, ports: KafkaPorts): ContainerSpec {
  return {
    name: `hashcluster-test-${set}-1`,
    set,
    owner: owner ?? String(process.pid),
    image: IMAGE,
    user: USER,
    entrypoint: '/bin/sh',
    command: ['-c', SCRIPT],
    env: {
      SERVER_PROPERTIES: kafkaProperties(ports),
      KAFKA_HEAP_OPTS: fast ? '-Xmx384m -Xms128m' : '-Xmx768m -Xms256m',
    },
    data: { path: KAFKA_DATA, inMemory: fast },
  };
}
