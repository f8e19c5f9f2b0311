import { readFileSync } from 'node:fs';
import { startOperator } from './process.ts';
import { SettingsError } from './runtime/env-reader.ts';
import { createLogger } from './runtime/logger.ts';
import { operatorSettings, ownEnvironment, VARIABLES } from './settings.ts';

/** Codes of sysexits.h. */
const EXIT = { ok: 0, usage: 64, fault: 70, settings: 78 } as const;

const HELP = `Reconciles HashClusters: runs, scales and heals endpoints, workers, MongoDB and Kafka.

  node operator/dist/main.js [--help | --version]

It reaches the API server as kubectl does (KUBECONFIG), or as a pod does. It is set up by variables:

${Object.entries(VARIABLES)
  .map(([name, meaning]) => `  ${name.padEnd(24)}${meaning}`)
  .join('\n')}
`;

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function run(): Promise<number> {
  const settings = operatorSettings(ownEnvironment());
  const version = versionOf();
  const logger = createLogger({
    level: settings.logLevel,
    service: 'hashcluster-operator',
    stream: process.stdout,
  });
  const ended = Promise.withResolvers<number>();
  const onFault = (error: Error): void => {
    logger.error('The operator cannot go on', { error });
    ended.resolve(EXIT.fault);
  };
  const operator = await startOperator({ settings, version, logger, onFault });
  logger.info('The operator runs', {
    version,
    namespaces: settings.namespaces ?? 'all',
    adminPort: operator.adminPort(),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info('The operator stops', { signal });
      ended.resolve(EXIT.ok);
    });
  }
  const code = await ended.promise;
  // After a fault nothing may be written any more; what still waits for an answer is cut off by the exit.
  await operator.stop();
  return code;
}

async function main([flag]: readonly string[]): Promise<number> {
  if (flag === '--help' || flag === '-h') {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  if (flag === '--version') {
    process.stdout.write(`${versionOf()}\n`);
    return EXIT.ok;
  }
  if (flag !== undefined) {
    process.stderr.write(`There is no option ${flag}.\n\n${HELP}`);
    return EXIT.usage;
  }
  try {
    return await run();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof SettingsError ? EXIT.settings : EXIT.fault;
  }
}

process.exit(await main(process.argv.slice(2)));
