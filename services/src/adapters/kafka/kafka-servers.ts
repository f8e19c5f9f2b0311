import type { BusReport, BusServers } from '../../ports/bus-servers.ts';
import { settlesWithin } from '../../runtime/deadline.ts';
import { findBroker } from './bootstrap.ts';
import type { KafkaConnection } from './options.ts';
import { clientOptions } from './platformatic/client-options.ts';
import { ANSWER_MS, DISCONNECT_MS } from './timing.ts';
import { within } from './within.ts';

/**
 * Asks the brokers how full they are, over connections of its own, which are closed afterwards: with either client of the
 * bus, for kafkajs cannot ask. Source: DescribeLogDirs (KIP-827).
 * @param answerMs for all answers together, in milliseconds
 */
export function createKafkaServers(connection: KafkaConnection, answerMs = ANSWER_MS): BusServers {
  return { report: () => report(connection, answerMs) };
}

async function report(connection: KafkaConnection, answerMs: number): Promise<BusReport> {
  // Who has the other client, or never asks, does not load this one.
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin(clientOptions(await findBroker(connection)));
  const ask = async (): Promise<BusReport> => {
    const { brokers } = await admin.metadata({ topics: [] });
    // Sizes of the directories' disks, without the partitions in them.
    const logs = await admin.describeLogDirs({ topics: [] });
    return {
      brokers: [...brokers.keys()],
      disks: logs.flatMap(({ broker, results }) => {
        const disks = results.filter(({ totalBytes }) => totalBytes > 0n).map(fullness);
        const [fullest] = disks.sort((a, b) => b.used / b.total - a.used / a.total);
        return fullest ? [{ broker, ...fullest }] : [];
      }),
    };
  };
  try {
    return await within(ask(), answerMs, 'Asking the brokers how full they are');
  } finally {
    await settlesWithin(admin.close(), DISCONNECT_MS);
  }
}

interface LogDir {
  readonly totalBytes: bigint;
  readonly usableBytes: bigint;
}

function fullness({ totalBytes, usableBytes }: LogDir): { readonly used: number; readonly total: number } {
  return { used: Number(totalBytes - usableBytes), total: Number(totalBytes) };
}
