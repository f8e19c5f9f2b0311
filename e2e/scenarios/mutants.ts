import type { Rule } from '../audit/checker.ts';
import type { Stored } from '../audit/history.ts';
import type { Cluster } from './cluster.ts';
import { CLOCK } from './clock-faults.ts';
import { CUT_ENDPOINT } from './endpoint-faults.ts';
import type { Member } from './member.ts';
import { CUT_ONE_WAY, cutOneWay, DROP_MONGODB, dropPackets } from './network-faults.ts';
import type { Patch } from './patched-build.ts';
import { longJobsOf, pause, within, type Scenario } from './scenario.ts';
import { PRIMARY_ALONE } from './server-faults.ts';

/** A product that is wrong on purpose, and the fault under which that shows. */
export interface Mutant {
  readonly name: string;
  readonly says: string;
  readonly patches: readonly Patch[];
  readonly scenario: Scenario;
  /** The rules of which the audit has to find one broken. */
  readonly breaks: readonly Rule[];
  /** Patches of the product that the mutant is compared with: with these alone, the audit must find nothing. */
  readonly control?: readonly Patch[];
}

/** How long a worker's claims do not get through before it dies, in milliseconds. */
const CLAIMS_CUT_MS = 4_000;

const LIMIT_MS = 180_000;

/** Claims do not reach the store, and then the worker dies: whoever is left has to hear of the jobs from the bus alone. */
const CUT_CLAIMS: Scenario = {
  name: 'cut-claims',
  says: 'the claims of a worker do not get through, and it dies; nobody looks for forgotten jobs',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  env: { FORGOTTEN_AFTER: '24h' },
  // What was forgotten is not found by waiting.
  drainMs: 45_000,
  async fault(scene) {
    const { cluster, random } = scene;
    const victim = random.pick(cluster.workers);
    scene.strike();
    const proxies = victim.network.to(...cluster.mongoAddresses);
    for (const proxy of proxies) proxy.drop('out');
    await pause(CLAIMS_CUT_MS);
    await victim.kill();
    // What it had sent goes down with it.
    for (const proxy of proxies) proxy.cut();
    victim.network.heal();
    return {};
  },
};

/** The slowest hashing, so that a job is still under way when its old worker comes to itself. */
const SLOW = { HASH_BACKEND: 'node' };
/**
 * One job: with one of its own, the other worker would leave it in the queue for as long. It lasts for more than ten
 * heartbeats where a worker does a million iterations per second, and longer elsewhere.
 */
const BEHIND = { jobs: 1, strides: 128, least: 112 };
/** A worker may be ahead of the position that it wrote last by what it does between two heartbeats, and by some more. */
const UNSAID_HEARTBEATS = 3;

/**
 * The old worker is paused when it has written a position, and goes on when the new one has written one beyond all that
 * the old one can have reached. The others are paused until the old one has saved what it holds: nobody can repair a position that fell before it is seen.
 */
const PAUSE_BEHIND: Scenario = {
  name: 'pause-behind',
  says: 'SIGSTOP of a worker until another has come further with its jobs, then SIGCONT',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  env: SLOW,
  longJobs: 0,
  // What is to be seen has happened by then; the long job may take minutes more.
  drainMs: 20_000,
  async fault({ cluster, load, strike }) {
    await load.burst(BEHIND.jobs, BEHIND.strides, BEHIND.least);
    const written = await firstWritten(cluster);
    if (written === null) throw new Error('No worker wrote a position of a long job');
    const { victim, job, stride } = written;
    strike();
    victim.pause();
    // It may have written another one before it stood still.
    const stored = (await cluster.store.live()).find(({ id }) => id === job.id)?.position ?? 0;
    const beyond = Math.max(stored, job.position) + UNSAID_HEARTBEATS * stride;
    const ahead = await within(LIMIT_MS, async () =>
      (await cluster.store.live()).some(
        ({ id, owner, position }) => id === job.id && owner !== victim.worker && position > beyond,
      ),
    );
    if (ahead === null) throw new Error('No other worker came further');
    const others = cluster.workers.filter((worker) => worker !== victim);
    for (const other of others) other.pause();
    victim.resume();
    const saved = await renewals(cluster, victim, 2);
    for (const other of others) other.resume();
    if (saved === null) throw new Error('The old worker did not renew its lease');
    return { aheadMs: Math.round(ahead), savedMs: Math.round(saved) };
  },
};

interface Written {
  readonly victim: Member;
  readonly job: Stored;
  /** Iterations between the last two positions. */
  readonly stride: number;
}

/** The first long job whose position a worker writes twice, and that worker; null when that takes too long. */
async function firstWritten(cluster: Cluster): Promise<Written | null> {
  const seen = new Map<string, number[]>();
  let found: Written | null = null;
  await within(LIMIT_MS, async () => {
    for (const victim of cluster.workers) {
      for (const job of await longJobsOf(cluster, victim)) {
        const positions = seen.get(job.id) ?? [];
        const last = positions.at(-1) ?? 0;
        if (job.position > last) positions.push(job.position);
        seen.set(job.id, positions);
        // Where it began, a part of the first heartbeat, and a whole one.
        if (positions.length === 3) found ??= { victim, job, stride: job.position - last };
      }
    }
    return found !== null;
  });
  return found;
}

/**
 * Waits until a worker has renewed its lease so many times. It writes checkpoints after each renewal, before the next one.
 * Milliseconds; null when that took too long.
 */
function renewals({ store }: Cluster, { worker }: Member, count: number): Promise<number | null> {
  let lease = 0;
  let seen = -1;
  return within(LIMIT_MS, async () => {
    const found = await store.leaseUntil(worker);
    if (found !== null && found !== lease) seen++;
    lease = found ?? lease;
    return seen >= count;
  });
}

const NO_POLLS: Patch = {
  file: 'worker/intake.js',
  find: 'async #askTheStore() {',
  replace: 'async #askTheStore() { return;',
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'wall-clock',
    says: 'the time of the database is carried on by the wall clock, and nobody asks it again',
    breaks: ['lost'],
    scenario: CLOCK,
    patches: [
      {
        file: 'adapters/mongo/store/time.js',
        find: 'return Math.floor(this.#clock.monotonic() + this.#offset);',
        replace: 'return Math.floor(this.#clock.now() + this.#offset);',
      },
      {
        file: 'adapters/mongo/store/time.js',
        find: 'localTime.getTime() - this.#clock.monotonic()',
        replace: 'localTime.getTime() - this.#clock.now()',
      },
      { file: 'adapters/mongo/store/sweep.js', find: 'if (time.trouble() !== null)', replace: 'if (false)' },
      {
        file: 'adapters/mongo/store/sweep.js',
        find: "$expr: { $lte: ['$expiresAt', time.expression] },",
        replace: '',
      },
    ],
  },
  {
    name: 'acknowledge-before-commit',
    says: 'the endpoint answers before the store has the job',
    breaks: ['lost'],
    scenario: CUT_ENDPOINT,
    patches: [
      {
        file: 'endpoint/work/submitter.js',
        find: "const answers = await store.call('submit'",
        replace: `const now = Date.now();
            const fresh = { position: 1, class: 0, owner: null, attempts: 0, createdAt: now, queuedAt: now };
            this.#settle(places, (i) => ({ kind: 'created', job: { ...submissions[i], digest: submissions[i].chain, ...fresh } }));
            const answers = await store.call('submit'`,
      },
      { file: 'endpoint/work/submitter.js', find: 'this.#settle(places, (i) => answers[i]);', replace: '' },
      {
        file: 'endpoint/work/submitter.js',
        find: 'this.#settle(places, () => what);',
        replace: 'void what;',
      },
    ],
  },
  {
    name: 'w-1',
    says: 'the store acknowledges what only its primary has',
    breaks: ['lost', 'reverted', 'fell'],
    scenario: PRIMARY_ALONE,
    patches: [
      {
        file: 'adapters/mongo/store/connection.js',
        find: "writeConcern: { w: 'majority', journal: true, wtimeoutMS }",
        replace: 'writeConcern: { w: 1, journal: true }',
      },
    ],
  },
  {
    name: 'delete-before-insert',
    says: 'the job is deleted before its result is there',
    breaks: ['lost'],
    scenario: { ...CUT_ONE_WAY, fault: (scene) => cutOneWay(scene, 'back', true) },
    patches: [
      {
        file: 'adapters/mongo/store/complete.js',
        find: 'const settled = await settle(context, results, { isLate: true });',
        replace: `await dropLive(context, [...first.keys()]);
    const settled = await settle(context, results, { isLate: true });`,
      },
    ],
  },
  {
    name: 'unguarded-checkpoint',
    says: 'a checkpoint is written whatever the position in the store',
    breaks: ['fell'],
    scenario: PAUSE_BEHIND,
    patches: [
      {
        file: 'jobs/machine.js',
        find: 'if (point.position <= live.position || point.position >= live.iterations)',
        replace: 'if (point.position >= live.iterations)',
      },
      {
        file: 'adapters/mongo/store/progress.js',
        find: 'position > before.get(id).position',
        replace: 'position !== before.get(id).position',
      },
      {
        file: 'adapters/mongo/store/progress.js',
        find: 'filter: { _id: job.id, position: { $lt: job.position } },',
        replace: 'filter: { _id: job.id },',
      },
    ],
  },
  {
    name: 'no-deadline',
    says: 'a call to the store has no deadline but those of the driver, and a worker whose results wait claims more',
    breaks: ['lost', 'undrained'],
    scenario: {
      ...DROP_MONGODB,
      drainMs: 60_000,
      fault: (scene) => dropPackets(scene, true, true),
    },
    control: [],
    patches: [
      {
        file: 'adapters/mongo/store/link.js',
        find: 'answersWithin(call(open.collections), callMs,',
        replace: 'answersWithin(call(open.collections), Infinity,',
      },
      {
        file: 'worker/worker.js',
        find: 'stuckMs > STUCK_LEASES * settings.leaseMs',
        replace: 'stuckMs > Infinity',
      },
      {
        file: 'worker/worker.js',
        find: 'return this.#keeper.isValid && this.#finisher.oldestMs() <= this.#deps.settings.leaseMs;',
        replace: 'return this.#keeper.isValid;',
      },
    ],
  },
  {
    name: 'commit-before-claim',
    says: 'the offsets are committed before the jobs are claimed, and nobody looks for forgotten jobs',
    breaks: ['lost', 'undrained'],
    scenario: CUT_CLAIMS,
    control: [NO_POLLS],
    patches: [
      NO_POLLS,
      {
        file: 'worker/intake.js',
        find: 'await this.#claim({ ids });',
        replace: '{ await batch.commit(); await this.#claim({ ids }); }',
      },
    ],
  },
];
