import type { WorkerBody } from '../api.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatCount, formatDuration, formatRate, formatTable, printable } from '../format.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';

const HEAD = [
  'ID',
  'HOST',
  'STATE',
  'BACKEND',
  'ENGINES',
  'FREE LANES',
  'RATE',
  'CAPACITY',
  'JOBS',
  'WORK LEFT',
];

/** Workers as a table. */
export function workersText(workers: readonly WorkerBody[]): string {
  if (workers.length === 0) return 'no workers';
  const rows = workers.map((worker) => [
    printable(worker.id),
    printable(worker.host),
    worker.state,
    printable(worker.backend),
    String(worker.engines),
    `${formatCount(worker.freeLanes)}/${formatCount(worker.lanes)}`,
    formatRate(worker.rate),
    formatRate(worker.capacity),
    formatCount(worker.jobs),
    formatDuration(worker.backlogSeconds),
  ]);
  return formatTable([HEAD, ...rows], [4, 5, 6, 7, 8, 9]);
}

async function workers(session: Session): Promise<ExitCode> {
  const items = await session.client().workers();
  session.output.result(workersText(items), { items });
  return EXIT.ok;
}

/** `hashcluster workers` */
export function addWorkers({ program, run }: Registry): void {
  program
    .command('workers')
    .summary('list the workers')
    .description(
      'Lists the workers that the service hears of: what they hash with, how fast, how much they hold.',
    )
    .addHelpText('after', examples([['hashcluster workers', 'a table of workers']]))
    .action(run(workers));
}
