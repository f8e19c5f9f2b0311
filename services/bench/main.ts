import { resolve } from 'node:path';

interface Bench {
  readonly about: string;
  readonly load: () => Promise<{ run(args: string[]): Promise<void> }>;
}

/** Every bench prints the processor and what it measures, and ends with one JSON line. */
const BENCHES: Readonly<Record<string, Bench>> = {
  hashing: {
    about: 'every backend against OpenSSL and node:crypto, in one process',
    load: () => import('./hashing.ts'),
  },
  hashlib: {
    about: 'every backend against Python: equal on a million random chains?',
    load: () => import('./hashlib.ts'),
  },
  service: {
    about: 'jobs through HTTP against the raw engines, submits against bare express',
    load: () => import('./service.ts'),
  },
  peers: { about: 'side by side with BullMQ and graphile-worker', load: () => import('./peers.ts') },
  cluster: {
    about: 'endpoints and workers on MongoDB and Kafka, side by side with other job queues',
    load: () => import('./cluster.ts'),
  },
  history: {
    about: 'an empty store against one with a million finished jobs',
    load: () => import('./history.ts'),
  },
  mongo: {
    about: 'the store on MongoDB by itself: rates, a queue of a million, an idle system',
    load: () => import('./mongo-store.ts'),
  },
  'kafka-clients': {
    about: 'the bus on Kafka through one client and through the other',
    load: () => import('./kafka-clients.ts'),
  },
  order: {
    about: 'how long jobs of a large backlog wait, by the order in which they were submitted',
    load: () => import('./order.ts'),
  },
  bodies: { about: 'a body of 1 GiB, and 200 slow clients', load: () => import('./bodies.ts') },
};

const HELP = `Measures this machine.

  npm run bench -- NAME [options]     npm run bench -- NAME --help

${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(10)}${about}`)
  .join('\n')}`;

/** Runs the bench that the command line names. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    console.log(HELP);
    return 0;
  }
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (!bench) {
    console.error(`There is no bench ${name}.\n\n${HELP}`);
    return 2;
  }
  await (await bench.load()).run(rest);
  return 0;
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) process.exit(await main(process.argv.slice(2)));
