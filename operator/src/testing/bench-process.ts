import { PodAccess } from '../control/access.ts';
import { startOperator } from '../process.ts';
import { createLogger } from '../runtime/logger.ts';
import type { Env } from '../runtime/env-reader.ts';
import { operatorSettings } from '../settings.ts';

/** What the process is told by its only argument, as JSON. */
export interface BenchProcess {
  readonly host: string;
  readonly port: number;
  /** Where `ca.crt` and `token` are. */
  readonly folder: string;
  readonly env: Env;
}

/** An operator as it runs in a pod, for `bench-scale.ts`: compiled, and without client-node. */
async function main({ host, port, folder, env }: BenchProcess): Promise<void> {
  const settings = operatorSettings(env);
  const logger = createLogger({ level: settings.logLevel, service: 'operator', stream: process.stdout });
  const operator = await startOperator({
    ...{ settings, logger, version: 'bench', config: new PodAccess({ host, port }, folder) },
    onFault: (error) => {
      throw error;
    },
  });
  process.once('SIGTERM', () => void operator.stop().then(() => process.exit(0)));
}

await main(JSON.parse(process.argv[2] ?? '{}') as BenchProcess);
