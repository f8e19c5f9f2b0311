import type { BusReport, BusServers } from '../../ports/bus-servers.ts';
import { findBroker } from './bootstrap.ts';
import type { KafkaConnection } from './options.ts';
import { clientOptions } from './platformatic/client-options.ts';

/**
 * Asks the brokers how full they are, over connections of its own, which are closed afterwards: with either client of the
 * bus, for kafkajs cannot ask. Source: DescribeLogDirs (KIP-827).
 */
export function createKafkaServers(connection: KafkaConnection): BusServers {
  return { report: () => report(connection) };
}

async function report(connection: KafkaConnection): Promise<BusReport> {
  // Who has the other client, or never asks, does not load this one.
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin(clientOptions(await findBroker(connection)));
  try {
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
  } finally {
    await admin.close();
  }
}

interface LogDir {
  readonly totalBytes: bigint;
  readonly usableBytes: bigint;
}

function fullness({ totalBytes, usableBytes }: LogDir): { readonly used: number; readonly total: number } {
  return { used: Number(totalBytes - usableBytes), total: Number(totalBytes) };
}
