/** Where a broker listens, on 127.0.0.1. */
export interface KafkaPorts {
  readonly clients: number;
  readonly controller: number;
}

export const KAFKA_DATA = '/var/lib/kafka/data';

/** The settings of one broker that is its own controller (KRaft), made for tests. */
export function kafkaProperties({ clients, controller }: KafkaPorts): string {
  return `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
controller.listener.names=CONTROLLER
listeners=CLIENTS://127.0.0.1:${clients},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=CLIENTS://127.0.0.1:${clients}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
log.dirs=${KAFKA_DATA}

# Who needs a topic makes it, with the settings that it needs.
auto.create.topics.enable=false

# One broker: one copy of everything, and few partitions of what Kafka itself keeps, so that it starts quickly.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# Members come one by one in tests: waiting for more only costs time.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000

# A broker that was killed and started again is let in when the session of its former self ran out.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000

# Little memory and disk.
log.segment.bytes=16777216
log.index.size.max.bytes=262144
log.retention.check.interval.ms=5000
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
background.threads=2
`.trimStart();
}
