import type { ExitCode } from '../exit-codes.ts';
import { examples, type Registry } from '../registry.ts';
import { readRole, runRole } from '../role.ts';
import { addAdminOptions, addEngineOptions, addLogOptions } from '../service-options.ts';
import type { Session } from '../session.ts';
import { ANY_HOST, workerRole, type RoleFlags } from '../../roles/settings.ts';

async function worker(session: Session, flags: RoleFlags): Promise<ExitCode> {
  const settings = readRole(session, flags, workerRole);
  const { mongo, kafka, process } = settings;
  return runRole(session, process.log.format, {
    start: (signal) => session.host.startWorker(settings, signal),
    readiness: ({ worker: id, backend, engines, adminUrl }) => ({
      message:
        `HashCluster's worker ${id} is ready (${backend} on ${engines} ${engines === 1 ? 'engine' : 'engines'}; ` +
        `database ${mongo.database}; probes and metrics at ${adminUrl})`,
      facts: {
        role: 'worker',
        worker: id,
        backend,
        engines,
        database: mongo.database,
        brokers: kafka.brokers,
      },
    }),
  });
}

/** `hashcluster worker` */
export function addWorker({ program, run }: Registry): void {
  addLogOptions(addEngineOptions(addAdminOptions(program.command('worker'), ANY_HOST)))
    .summary('run a worker: hashes jobs from MongoDB and Kafka')
    .description(
      'Claims jobs, hashes them on every core, writes checkpoints and results to MongoDB. Any number can run, and any of ' +
        'them can die. Waits for MongoDB; goes on without Kafka. Settings come from the environment (see docs/configuration.md): ' +
        'MONGODB_URI and KAFKA_BROKERS are needed. Ctrl-C or SIGTERM drains: jobs go back to the queue where they stand.',
    )
    .addHelpText(
      'after',
      examples([
        ['hashcluster worker', 'an engine per core, probes and metrics on port 9090'],
        ['hashcluster worker --engines 1 --admin-port 9091', 'a second one on this machine, on one core'],
      ]),
    )
    .action(run(worker));
}
