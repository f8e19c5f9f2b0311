import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from '../../../runtime/testing/free-port.ts';

const IMAGE = 'apache/kafka:4.3.1';
const USER = '1000:1000';
const DATA = '/var/lib/kafka/data';
const COMMAND_MS = 120_000;
const START_MS = 120_000;
const LOOK_MS = 250;
const MAX_LOG = 64 << 20;

const SCRIPT = `
set -e
printf %s "$SERVER_PROPERTIES" > /tmp/server.properties
cd /opt/kafka
[ -f ${DATA}/meta.properties ] || bin/kafka-storage.sh format --standalone --cluster-id busResilienceTests0000 --config /tmp/server.properties
exec bin/kafka-server-start.sh /tmp/server.properties
`;

interface Ports {
  readonly clients: number;
  readonly controller: number;
  /** Where clients are sent: `clients`, or a proxy before it. */
  readonly advertised: number;
}

/** What a test may want otherwise. */
export interface OwnBrokerOptions {
  /** What clients are sent to instead; it listens already. */
  readonly proxy?: { readonly port: number; toward(port: number): void };
  /** Whether groups have no coordinator: the topic of their offsets wants more brokers than there are. */
  readonly withoutCoordinator?: boolean;
}

function properties({ clients, controller, advertised }: Ports, offsetsReplication: number): string {
  return `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
controller.listener.names=CONTROLLER
listeners=CLIENTS://127.0.0.1:${clients},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=CLIENTS://127.0.0.1:${advertised}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
log.dirs=${DATA}
auto.create.topics.enable=false
offsets.topic.replication.factor=${offsetsReplication}
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
log.index.size.max.bytes=262144
log.cleaner.dedupe.buffer.size=8388608
`;
}

async function docker(...args: string[]): Promise<string> {
  return (await promisify(execFile)('docker', args, { timeout: COMMAND_MS, maxBuffer: MAX_LOG })).stdout;
}

/** A broker that a test may do to as it likes. */
export class OwnBroker {
  readonly broker: string;
  readonly #name: string;
  readonly #run: readonly string[];

  private constructor(ports: Ports, offsetsReplication: number) {
    const { clients, advertised } = ports;
    this.broker = `127.0.0.1:${advertised}`;
    this.#name = `hashcluster-bus-test-${clients}`;
    this.#run = [
      ...['run', '--detach', '--name', this.#name, '--network', 'host', '--user', USER],
      ...['--entrypoint', '/bin/sh', '--tmpfs', `/tmp:mode=1777`, '--volume', DATA],
      ...['--env', 'KAFKA_HEAP_OPTS=-Xmx384m -Xms128m'],
      ...['--env', `SERVER_PROPERTIES=${properties(ports, offsetsReplication)}`],
      ...[IMAGE, '-c', SCRIPT],
    ];
  }

  static async start({ proxy, withoutCoordinator }: OwnBrokerOptions = {}): Promise<OwnBroker> {
    const [clients, controller] = [await freePort(), await freePort()];
    const broker = new OwnBroker(
      { clients, controller, advertised: proxy?.port ?? clients },
      withoutCoordinator === true ? 3 : 1,
    );
    proxy?.toward(clients);
    await docker(...broker.#run);
    await broker.#started(1);
    return broker;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await docker('kill', this.#name);
  }

  /** Starts it again with its data. */
  async restart(): Promise<void> {
    const before = await this.#starts();
    await docker('start', this.#name);
    await this.#started(before + 1);
  }

  /** Its connections stay, and nothing answers. */
  async pause(): Promise<void> {
    await docker('pause', this.#name);
  }

  async unpause(): Promise<void> {
    await docker('unpause', this.#name);
  }

  /** Kills it, deletes its data and starts it again. */
  async wipe(): Promise<void> {
    await this.remove();
    await docker(...this.#run);
    await this.#started(1);
  }

  async remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.#name);
  }

  /** How often it has come to the end of its start. */
  async #starts(): Promise<number> {
    const log = await docker('logs', this.#name);
    return log.split('Kafka Server started').length - 1;
  }

  async #started(times: number): Promise<void> {
    const end = performance.now() + START_MS;
    while ((await this.#starts()) < times) {
      if (performance.now() > end) throw new Error(`${this.#name} did not start`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
