import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, until } from '../lib/client.ts';
import { startService } from '../lib/service.ts';
import { JobMaker, type KnownJob } from './jobs.ts';
import { positionsOnDisk } from './snapshot.ts';

/** Submits at the same time. */
const CLIENTS = 4;

/** The longest time under load before the kill, in milliseconds. */
const LOAD_MS = 1_200;

/** All jobs must be done so long after the last restart, in milliseconds. */
const DRAIN_MS = 240_000;

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: string;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Submits whose answer the kill cut off; they were made again. */
  readonly retried: number;
  /** Every one of these must be empty. */
  readonly lost: readonly string[];
  readonly wrong: readonly string[];
  readonly behindCheckpoint: readonly string[];
  readonly doubled: readonly string[];
}

/** The history of one run: what was acknowledged, under which id, and what went wrong. */
interface History {
  readonly acknowledged: Map<string, KnownJob>;
  readonly unanswered: KnownJob[];
  readonly ids: Map<string, string>;
  readonly behindCheckpoint: string[];
  readonly doubled: string[];
  retried: number;
}

/**
 * Kills the service with SIGKILL at a random moment under load, restarts it on the same data, again and again; then
 * lets it finish, and compares every acknowledged job with what node:crypto says.
 */
export async function killNine({ rounds, seed, say }: ChaosOptions): Promise<ChaosReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hashcluster-chaos-'));
  const jobs = new JobMaker(seed);
  const history: History = {
    acknowledged: new Map(),
    unanswered: [],
    ids: new Map(),
    behindCheckpoint: [],
    doubled: [],
    retried: 0,
  };
  try {
    let before = new Map<string, number>();
    for (let round = 1; round <= rounds; round++) {
      before = await oneRound(dataDir, jobs, history, before);
      say(`round ${round}: ${history.acknowledged.size} acknowledged, ${before.size} live at the kill`);
    }
    const { lost, wrong } = await finish(dataDir, jobs, history, before);
    const { acknowledged, retried, behindCheckpoint, doubled } = history;
    return { rounds, acknowledged: acknowledged.size, retried, lost, wrong, behindCheckpoint, doubled };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function oneRound(
  dataDir: string,
  jobs: JobMaker,
  history: History,
  before: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const service = await startService({ dataDir });
  const client = new Client(service.url);
  await checkPositions(client, before, history);
  let killed = false;
  const load = Promise.all(
    Array.from({ length: CLIENTS }, () => submitUntil(() => killed, client, jobs, history)),
  );
  await new Promise((resolve) => setTimeout(resolve, Math.random() * LOAD_MS));
  killed = true;
  await service.kill();
  await load;
  return positionsOnDisk(dataDir);
}

async function submitUntil(
  over: () => boolean,
  client: Client,
  jobs: JobMaker,
  history: History,
): Promise<void> {
  while (!over()) {
    const again = history.unanswered.shift();
    const job = again ?? jobs.next();
    if (again) history.retried++;
    try {
      note(history, job, (await client.submit(job)).id);
    } catch (error) {
      history.unanswered.push(job);
      if (!over()) throw error;
    }
  }
}

/** An equal submission must get an equal id, whatever happened in between. */
function note(history: History, job: KnownJob, id: string): void {
  const name = `${job.data} × ${job.iterations}`;
  const known = history.ids.get(name);
  if (known !== undefined && known !== id) history.doubled.push(`${name}: ${known} and ${id}`);
  history.ids.set(name, id);
  history.acknowledged.set(id, job);
}

async function checkPositions(
  client: Client,
  before: ReadonlyMap<string, number>,
  history: History,
): Promise<void> {
  for (const [id, position] of before) {
    const job = await client.get(id);
    if (job.position < position) history.behindCheckpoint.push(`${id}: ${job.position}, was ${position}`);
  }
}

async function finish(
  dataDir: string,
  jobs: JobMaker,
  history: History,
  before: ReadonlyMap<string, number>,
): Promise<{ lost: string[]; wrong: string[] }> {
  const service = await startService({ dataDir });
  try {
    const client = new Client(service.url);
    await checkPositions(client, before, history);
    for (const job of history.unanswered.splice(0)) note(history, job, (await client.submit(job)).id);
    await until('all jobs done', DRAIN_MS, async () => {
      const { backlog } = await client.cluster();
      return backlog.running === 0 && backlog.queued.every(({ jobs: queued }) => queued === 0);
    });
    return await audit(client, jobs, history.acknowledged);
  } finally {
    await service.stop();
  }
}

async function audit(
  client: Client,
  jobs: JobMaker,
  acknowledged: ReadonlyMap<string, KnownJob>,
): Promise<{ lost: string[]; wrong: string[] }> {
  const lost: string[] = [];
  const wrong: string[] = [];
  for (const [id, job] of acknowledged) {
    const found = await client.get(id).catch((error: unknown) => String(error));
    if (typeof found === 'string' || found.state !== 'done') {
      lost.push(`${id}: ${typeof found === 'string' ? found : found.state}`);
    } else if (found.digest !== jobs.digestOf(job)) {
      wrong.push(`${id}: ${job.data} × ${job.iterations}`);
    }
  }
  return { lost, wrong };
}
