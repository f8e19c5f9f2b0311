import { rounded } from '../lib/statistics.ts';
import { withCluster, type Bench, type Measurement } from './measure.ts';
import { pause } from './scenario.ts';

const SETTLE_MS = 15_000;
const WATCH_MS = 30_000;

/** What two endpoints and two workers ask of MongoDB when nobody asks anything of them. */
export const IDLE: Measurement = {
  name: 'idle',
  says: 'an idle system makes fewer than 5 MongoDB operations per second per process',
  run: (bench: Bench) =>
    withCluster(bench, { name: 'idle', endpoints: 2, workers: 2 }, async (cluster) => {
      const { db } = cluster.store;
      await pause(SETTLE_MS);
      // The profiler of this database sees every operation on it, and none of the replica set's own.
      await db.command({ profile: 2 });
      const began = performance.now();
      await pause(WATCH_MS);
      await db.command({ profile: 0 });
      const seconds = (performance.now() - began) / 1_000;
      const entries = await db
        .collection('system.profile')
        .aggregate<{ _id: { op: string; ns: string }; count: number }>([
          { $match: { ns: { $not: /system\.profile|\$cmd\.sys/ }, 'command.profile': { $exists: false } } },
          { $group: { _id: { op: '$op', ns: '$ns' }, count: { $sum: 1 } } },
        ])
        .toArray();
      const total = entries.reduce((sum, { count }) => sum + count, 0);
      const perProcess = total / seconds / cluster.members.length;
      const byKind = entries.map(({ _id, count }) => [
        `${_id.op} ${_id.ns.split('.').slice(1).join('.')}`,
        rounded(count / seconds),
      ]);
      return {
        ...{ processes: cluster.members.length, operationsPerSecondPerProcess: rounded(perProcess) },
        ...{ perSecond: Object.fromEntries(byKind) as object, met: perProcess < 5 },
      };
    }),
};
