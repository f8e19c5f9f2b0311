import { TOPICS, type Topic } from '../../jobs/messages.ts';
import type { KafkaBusOptions } from './options.ts';

/** A topic as it is created where it is missing. One that is there stays as it is. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Source: https://kafka.apache.org/43/configuration/topic-configs */
  readonly config: Readonly<Record<string, string>>;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const MIB = 1 << 20;

/** Ids of jobs: an older one has been claimed, or is published again by the sweeper. */
const DISPATCH = { retentionMs: 60 * MINUTE, segmentMs: 10 * MINUTE, segmentBytes: 16 * MIB };
/** News: who was away for minutes asks the store. */
const BROADCAST = { retentionMs: 5 * MINUTE, segmentMs: MINUTE, segmentBytes: 8 * MIB };
/** A partition never takes more of the broker's disk than this and one segment. */
const RETENTION_BYTES = 64 * MIB;
/** Every subscriber reads all partitions, so they share only the brokers' work. */
const RESULT_PARTITIONS = 4;

/** The name of a topic in Kafka. */
export function topicName(prefix: string, topic: Topic): string {
  return `${prefix}${topic}`;
}

/** Every topic, as this bus wants it. */
export function topicSpecs(options: KafkaBusOptions): TopicSpec[] {
  return TOPICS.map((topic) => topicSpec(topic, options));
}

function topicSpec(topic: Topic, options: KafkaBusOptions): TopicSpec {
  const dispatches = topic.startsWith('jobs.');
  const { retentionMs, segmentMs, segmentBytes } = dispatches ? DISPATCH : BROADCAST;
  const few = topic === 'results' ? RESULT_PARTITIONS : 1;
  return {
    name: topicName(options.topicPrefix, topic),
    partitions: dispatches ? options.partitions : few,
    replication: options.replication,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionMs),
      'retention.bytes': String(RETENTION_BYTES),
      'segment.ms': String(segmentMs),
      'segment.bytes': String(segmentBytes),
      // The brokers' clocks decide what is old, not those of whoever publishes.
      'message.timestamp.type': 'LogAppendTime',
      'min.insync.replicas': options.replication >= 3 ? '2' : '1',
    },
  };
}
