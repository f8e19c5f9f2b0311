import type { BaseOptions } from '@platformatic/kafka';
import type { KafkaReport } from '../plan/observed.ts';

/** Managed brokers, and who comes to them. */
export interface KafkaTarget {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly username: string;
  /** Never logged. */
  readonly password: string;
}

export interface KafkaServersOptions {
  /** To open a connection, in milliseconds. */
  readonly connectMs?: number;
  /** For an answer, in milliseconds. */
  readonly answerMs?: number;
  /** For tests: brokers without users. */
  readonly sasl?: boolean;
}

/** Asks managed brokers how full they are, over connections of its own, which are closed afterwards. */
export class KafkaServers {
  readonly #options: Required<KafkaServersOptions>;

  constructor(options: KafkaServersOptions = {}) {
    this.#options = { connectMs: 3_000, answerMs: 10_000, sasl: true, ...options };
  }

  /** Rejects with the client's errors, also when one of the brokers does not answer. */
  async report(target: KafkaTarget): Promise<KafkaReport> {
    // 30 MiB of memory that only managed brokers are worth.
    const { Admin } = await import('@platformatic/kafka');
    const admin = new Admin(this.#clientOptions(target));
    try {
      const { brokers } = await admin.metadata({ topics: [] });
      // Sizes of the directories' disks, without the partitions in them.
      const logs = await admin.describeLogDirs({ topics: [] });
      return {
        brokers: [...brokers.keys()],
        disks: logs.flatMap(({ broker, results }) => {
          // One disk each in what we manage; of several the fullest counts.
          const disks = results.filter(({ totalBytes }) => totalBytes > 0n).map(fullness);
          const [fullest] = disks.sort((a, b) => b.used / b.total - a.used / a.total);
          return fullest ? [{ broker, ...fullest }] : [];
        }),
      };
    } finally {
      await admin.close();
    }
  }

  #clientOptions({ brokers, username, password }: KafkaTarget): BaseOptions {
    const { connectMs, answerMs, sasl } = this.#options;
    return {
      clientId: 'hashcluster-operator',
      bootstrapBrokers: [...brokers],
      connectTimeout: connectMs,
      requestTimeout: answerMs,
      timeout: answerMs,
      retries: 0,
      ...(sasl && { sasl: { mechanism: 'SCRAM-SHA-512', username, password } }),
    };
  }
}

function fullness({
  totalBytes,
  usableBytes,
}: {
  readonly totalBytes: bigint;
  readonly usableBytes: bigint;
}): {
  readonly used: number;
  readonly total: number;
} {
  return { used: Number(totalBytes - usableBytes), total: Number(totalBytes) };
}
