import type { ExitCode } from '../exit-codes.ts';
import { examples, type Registry } from '../registry.ts';
import { readRole, runRole, warnOfOpenHost } from '../role.ts';
import { addAdminOptions, addApiOptions, addBackendOption, addLogOptions } from '../service-options.ts';
import type { Session } from '../session.ts';
import { ANY_HOST, endpointRole, type RoleFlags } from '../../roles/settings.ts';

async function endpoint(session: Session, flags: RoleFlags): Promise<ExitCode> {
  const settings = readRole(session, flags, endpointRole);
  const { served, mongo, kafka, process } = settings;
  warnOfOpenHost(session, served.host, process.log.format);
  return runRole(session, process.log.format, {
    start: (signal) => session.host.startEndpoint(settings, signal),
    readiness: ({ url, adminUrl }) => ({
      message: `HashCluster's endpoint is ready at ${url} (database ${mongo.database}; probes and metrics at ${adminUrl})`,
      facts: { role: 'endpoint', database: mongo.database, brokers: kafka.brokers },
    }),
  });
}

/** `hashcluster endpoint` */
export function addEndpoint({ program, run }: Registry): void {
  const command = program.command('endpoint');
  addLogOptions(addBackendOption(addAdminOptions(addApiOptions(command, ANY_HOST), ANY_HOST)))
    .summary('run an endpoint: the HTTP API, on MongoDB and Kafka')
    .description(
      'Serves the API from jobs in MongoDB, and tells workers of them through Kafka. Any number can run, and any of them ' +
        'can die. Waits for MongoDB; goes on without Kafka. Settings come from the environment (see docs/configuration.md): ' +
        'MONGODB_URI and KAFKA_BROKERS are needed. Ctrl-C or SIGTERM drains.',
    )
    .addHelpText(
      'after',
      examples([
        ['hashcluster endpoint', 'on port 5000 of every address, probes and metrics on 9090'],
        [
          'hashcluster endpoint --host 127.0.0.1 --port 5001 --admin-port 9091',
          'a second one on this machine',
        ],
      ]),
    )
    .action(run(endpoint));
}
