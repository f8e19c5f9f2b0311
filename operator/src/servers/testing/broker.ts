import { randomBytes } from 'node:crypto';
import { kafkaConfigMap } from '../../plan/desired/kafka.ts';
import { contextOf } from '../../plan/desired/testing.ts';
import { docker, freePort, type Container } from './mongod.ts';

/** A broker of a container, and the password by which it knows itself and the operator. */
export interface Broker extends Container {
  readonly password: string;
}

/** One broker as the operator runs it, with its configuration and its start script, but on the loopback address. */
export async function startBroker(image: string): Promise<Broker> {
  const name = `hashcluster-operator-kafka-${randomBytes(4).toString('hex')}`;
  const [port, controller] = [await freePort(), await freePort()];
  const { data } = kafkaConfigMap(contextOf({ kafka: { managed: { replicas: 1 } } })) as unknown as {
    readonly data: Readonly<Record<string, string>>;
  };
  const local = (text: string): string =>
    text
      .replace(
        'listeners=CLIENTS://:9092,CONTROLLER://:9093',
        `listeners=CLIENTS://:${port},CONTROLLER://:${controller}`,
      )
      .replace(/@hc-kafka-0\.[^:]*:9093/, `@127.0.0.1:${controller}`)
      .replace(/CLIENTS:\/\/\$POD_NAME[^"]*/, `CLIENTS://127.0.0.1:${port}`)
      // Fewer partitions of what Kafka itself keeps, so that it starts quickly.
      .replace(/$/, '\noffsets.topic.num.partitions=1\n');
  const password = randomBytes(12).toString('hex');
  const passwords = ['CONTROLLER', 'BROKER', 'ENDPOINT', 'WORKER'].flatMap((user) => [
    ...['--env', `${user}_PASSWORD=${user === 'BROKER' ? password : `${user.toLowerCase()}-first`}`],
  ]);
  const folders = ['/etc/hashcluster', '/run/kafka', '/var/lib/kafka/data'];
  const write = 'printf %s "$PROPERTIES" > /etc/hashcluster/server.properties';
  await docker(
    ...['run', '--detach', '--rm', '--name', name, '--network', 'host', '--user', '1000:1000'],
    ...folders.flatMap((folder) => ['--tmpfs', `${folder}:uid=1000`]),
    ...['--env', `PROPERTIES=${local(data['server.properties']!)}`],
    ...[
      '--env',
      `START=${data['start.sh']!.replace(/CLIENTS:\/\/\$POD_NAME[^"]*/, `CLIENTS://127.0.0.1:${port}`)}`,
    ],
    ...['--env', 'POD_NAME=hc-kafka-0', '--env', 'CLUSTER_ID=hashclusterTests000000', ...passwords],
    ...['--env', 'KAFKA_HEAP_OPTS=-Xms128m -Xmx384m', '--entrypoint', 'bash', image],
    ...['-ec', `${write}; exec bash -c "$START"`],
  );
  return {
    host: `127.0.0.1:${port}`,
    password,
    remove: async () => void (await docker('rm', '--force', name)),
  };
}
