import type { Document } from 'mongodb';
import type { Member } from './member.ts';
import {
  busyWorker,
  jobsOf,
  pause,
  takenOver,
  within,
  type Figures,
  type Scenario,
  type Scene,
} from './scenario.ts';

/** Unreadable documents are in quarantine by then, in milliseconds: sweeps, counts and lists come upon them. */
const FOUND_MS = 60_000;
/** The collections that are looked through all the time. */
const FOUND = ['jobs', 'results'];
/** How often every endpoint is asked for what is made of many documents, in milliseconds. */
const ASK_MS = 500;
const PATIENCE_MS = 15_000;
const LISTS = ['/v1/jobs', '/v1/jobs?state=done', '/v1/workers', '/v1/cluster'];
const LONG_AGO = new Date(0);
const HOUR_MS = 3_600_000;

/** Documents as somebody else might write them, found before all others. `owner`: whom one of the jobs belongs to. */
function poisonOf(owner: string): Readonly<Record<string, readonly Document[]>> {
  const job = { tenant: 'default', class: 0, attempts: 0, position: 1, iterations: 10, createdAt: LONG_AGO };
  const soon = new Date(Date.now() + HOUR_MS);
  const result = { tenant: 'default', outcome: 'done', iterations: 10, computed: 9, createdAt: LONG_AGO };
  return {
    jobs: [
      { ...job, _id: 'poison-queued', owner: '', queuedAt: LONG_AGO },
      { ...job, _id: 'poison-running', owner, queuedAt: LONG_AGO },
    ],
    results: [{ ...result, _id: 'poison-result', finishedAt: soon, expiresAt: soon }],
    // Read when more than 10,000 jobs wait.
    stats: [{ _id: 'backlog', nextAt: 'tomorrow' }],
    // Not moved either: what is no date is no lease.
    workers: [{ _id: 'poison-worker', leaseUntil: 'tomorrow' }],
  };
}

/** One malformed document in every collection, and the death of the worker that holds one of them. */
export const POISON: Scenario = {
  name: 'poison',
  campaignOnly: true,
  says: 'one malformed document in every collection, and kill -9 of the worker that owns one',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  longJobs: 0,
  fault: poison,
};

async function poison(scene: Scene): Promise<Figures> {
  const { cluster, breach } = scene;
  const { db } = cluster.store;
  const victim = await busyWorker(scene);
  const { worker } = victim;
  const documents = Object.entries(poisonOf(worker));
  scene.strike();
  const struck = performance.now();
  const asking = new AbortController();
  const asked = Promise.all(cluster.endpoints.map((endpoint) => askOn(endpoint, breach, asking.signal)));
  for (const [name, docs] of documents)
    for (const doc of docs)
      await db.collection(name).replaceOne({ _id: doc['_id'] as never }, doc, { upsert: true });
  await victim.kill();
  const held = await jobsOf(cluster, worker);
  const takeOverMs = await takenOver(scene, worker, held, struck);
  const wanted = documents.filter(([name]) => FOUND.includes(name)).flatMap(keysOf);
  const kept = db.collection('quarantine');
  const found = async (): Promise<string[]> => (await kept.find().toArray()).map(({ _id }) => String(_id));
  const foundMs = await within(
    FOUND_MS,
    async () => {
      const ids = await found().catch((): string[] => []);
      return wanted.every((id) => ids.includes(id));
    },
    struck,
  );
  asking.abort();
  const answers = (await asked).reduce((sum, count) => sum + count, 0);
  if (foundMs === null)
    breach(`of ${wanted.join(', ')} only these are in quarantine: ${(await found()).join(', ')}`);
  // The next trial writes the same.
  for (const [name, docs] of documents)
    for (const { _id } of docs) await db.collection(name).deleteOne({ _id: _id as never });
  await kept.deleteMany();
  return { heldJobs: held.length, takeOverMs, foundMs: Math.round(foundMs ?? FOUND_MS), answers };
}

/** As the quarantine names them. */
function keysOf([name, docs]: readonly [string, readonly Document[]]): string[] {
  return docs.map(({ _id }) => `${name}/${String(_id)}`);
}

/** Asks an endpoint for everything that is made of many documents, until told to stop. Returns how often it answered. */
async function askOn({ name, url }: Member, breach: Scene['breach'], signal: AbortSignal): Promise<number> {
  let answers = 0;
  const broken = new Set<string>();
  while (!signal.aborted) {
    for (const path of LISTS) {
      const answer = await fetch(url + path, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.ok) answers++;
      if (answer?.status === 500) broken.add(path);
    }
    await pause(ASK_MS);
  }
  for (const path of broken) breach(`${name} answered ${path} with 500`);
  return answers;
}
