import type { Rule } from '../audit/checker.ts';
import { CUT_ENDPOINT } from './endpoint-faults.ts';
import { CUT_ONE_WAY, cutOneWay } from './network-faults.ts';
import type { Patch } from './patched-build.ts';
import { busyWorker, jobsOf, pause, within, type Scenario, type Scene } from './scenario.ts';
import { PRIMARY_ALONE } from './server-faults.ts';
import { PAUSE_WORKER } from './worker-faults.ts';

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

const LIMIT_MS = 60_000;

/** Claims do not reach the store, and then the worker dies: whoever is left has to hear of the jobs from the bus alone. */
const CUT_CLAIMS: Scenario = {
  name: 'cut-claims',
  says: 'the claims of a worker do not get through, and it dies; nobody looks for forgotten jobs',
  endpoints: 2,
  workers: 2,
  sharesServers: true,
  env: { FORGOTTEN_AFTER: '24h' },
  async fault(scene) {
    const { cluster, random } = scene;
    const victim = random.pick(cluster.workers);
    scene.strike();
    for (const proxy of victim.network.to(...cluster.mongoAddresses)) proxy.drop('out');
    await pause(CLAIMS_CUT_MS);
    await victim.kill();
    victim.network.heal();
    return {};
  },
};

/** Slow hashing, so that a job is still under way when its old worker comes to itself. */
const SLOW = { HASH_BACKEND: 'node' };
/** Beyond what a worker can have done since its last checkpoint with that backend. */
const AHEAD = 3_000_000;

/** The old worker goes on when the new one has written a position beyond what the old one had reached. */
const PAUSE_BEHIND: Scenario = {
  ...PAUSE_WORKER,
  name: 'pause-behind',
  says: 'SIGSTOP of a worker until another has come further with its jobs, then SIGCONT',
  env: SLOW,
  demands: {},
  async fault(scene: Scene) {
    const { cluster } = scene;
    const victim = await busyWorker(scene, 2, 40);
    scene.strike();
    victim.pause();
    const held = new Map((await jobsOf(cluster, victim.worker)).map((job) => [job.id, job.position]));
    const ahead = await within(LIMIT_MS, async () => {
      const live = await cluster.store.live();
      return live.some(({ id, position, owner }) => {
        const before = held.get(id);
        return before !== undefined && owner !== victim.worker && position > before + AHEAD;
      });
    });
    if (ahead === null) throw new Error('No other worker came further');
    victim.resume();
    return { aheadMs: Math.round(ahead) };
  },
};

const NO_POLLS: Patch = {
  file: 'worker/intake.js',
  find: 'async #askTheStore() {',
  replace: 'async #askTheStore() { return;',
};

export const MUTANTS: readonly Mutant[] = [
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
        file: 'adapters/mongo/store/link.js',
        find: "writeConcern: { w: 'majority', journal: true, wtimeoutMS: limits.writeConcernMs }",
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
        find: 'const settled = await settle(context, results);',
        replace: `await dropLive(context, [...first.keys()]);
    const settled = await settle(context, results);`,
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
        find: 'filter: { _id: id, position: { $lt: position } },',
        replace: 'filter: { _id: id },',
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
