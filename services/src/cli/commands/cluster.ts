import type { ClusterBody } from '../api.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatTable,
  printable,
} from '../format.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';

/** The cluster as lines of text. */
export function clusterText(cluster: ClusterBody): string {
  const { backlog, endpoint, limits, workers } = cluster;
  const queued = backlog.queued.reduce((sum, row) => sum + row.jobs, 0);
  const oldest = Math.max(0, ...backlog.queued.map((row) => row.oldestSeconds ?? 0));
  const work = !backlog.seconds ? '' : `, ${formatDuration(backlog.seconds)} of work`;
  const rows = [
    ['version', `${printable(cluster.version)} (${cluster.mode})`],
    ['endpoint', `${printable(endpoint.id)}, up for ${formatDuration(endpoint.uptimeSeconds)}`],
    ['workers', `${workers.live} live, ${workers.draining} draining`],
    [
      'lanes',
      `${formatCount(cluster.lanes)} on ${formatCount(cluster.engines)} engines, ${formatCount(cluster.freeLanes)} free`,
    ],
    ['rate', `${formatRate(cluster.rate)} now, ${formatRate(cluster.capacity)} at most`],
    ['running', formatCount(backlog.running)],
    [
      'queued',
      `${formatCount(queued)}${queued > 0 ? `, the oldest for ${formatDuration(oldest)}` : ''}${work}`,
    ],
    ...busRows(cluster.bus),
    [
      'limits',
      `${formatCount(limits.maxIterations)} iterations, ${formatBytes(limits.maxBodyBytes)}, ${formatCount(limits.maxBatchItems)} jobs in a batch`,
    ],
  ];
  return formatTable(rows);
}

function busRows(bus: ClusterBody['bus']): string[][] {
  if (!bus) return [];
  const shares = bus.disks.filter(({ total }) => total > 0).map(({ used, total }) => used / total);
  const fullest = shares.length === 0 ? '' : `, the fullest disk ${formatPercent(Math.max(...shares))} full`;
  return [['kafka', `${bus.brokers.length} ${bus.brokers.length === 1 ? 'broker' : 'brokers'}${fullest}`]];
}

async function cluster(session: Session): Promise<ExitCode> {
  const body = await session.client().cluster();
  session.output.result(clusterText(body), body);
  return EXIT.ok;
}

/** `hashcluster cluster` */
export function addCluster({ program, run }: Registry): void {
  program
    .command('cluster')
    .summary('say how the service is doing')
    .description('Prints workers, rate, backlog and limits of the service as a whole.')
    .addHelpText(
      'after',
      examples([
        ['hashcluster cluster', 'the state of the service'],
        ['hashcluster cluster --output json', 'the same for programs'],
      ]),
    )
    .action(run(cluster));
}
