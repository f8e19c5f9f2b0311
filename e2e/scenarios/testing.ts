import type { Rule } from '../audit/checker.ts';
import { Reference } from '../audit/job-mix.ts';
import { dockerTrouble } from '../servers/docker.ts';
import { isClean, runCampaign, type CampaignReport } from './campaign.ts';
import { closeServers, startServers, type Servers } from './cluster.ts';
import { hunt, type HuntReport } from './mutant-hunt.ts';
import type { Mutant } from './mutants.ts';
import { patchedBuild, removePatchedBuilds } from './patched-build.ts';
import type { Scenario } from './scenario.ts';

/** Elections as short as they can be: a test asks what is lost, not how long it takes. */
const ELECTION_MS = 2_000;

/** A harm that does not come about, or a promise that a busy machine does not let be kept: tried again, so often in all. */
const ATTEMPTS = 3;
/** Broken when the fault missed, and by nothing that the product does. Any other rule that is broken fails at once. */
const MISSED: readonly Rule[] = ['unseen', 'vacuous'];

/** Each process is waited for by a listener. */
const MAX_PROCESSES = 100;

/** Why clusters cannot be had here; null where they can. */
export const CLUSTER_TROUBLE = await dockerTrouble();

/** Servers for the tests of a file, and one trial of each scenario on them. */
export class Stage {
  readonly #servers: Servers;
  readonly #reference: Reference;
  readonly #seed: string;
  readonly #bin: string;

  private constructor(servers: Servers, reference: Reference, seed: string, bin: string) {
    this.#servers = servers;
    this.#reference = reference;
    this.#seed = seed;
    this.#bin = bin;
  }

  static async start(name: string): Promise<Stage> {
    process.setMaxListeners(MAX_PROCESSES);
    const bin = await patchedBuild('product', []);
    const reference = await Reference.make();
    return new Stage(
      await startServers(name, ELECTION_MS),
      reference,
      `test ${new Date().toISOString()}`,
      bin,
    );
  }

  async harm(scenario: Scenario): Promise<CampaignReport> {
    const odd = scenario.oddWorker ? { oddBin: await patchedBuild(scenario.name, scenario.oddWorker) } : {};
    for (let attempt = 1; ; attempt++) {
      const common = this.#common(1);
      const seed = `${common.seed}/${attempt}`;
      const report = await runCampaign({ ...common, seed, scenario, parallel: 1, bin: this.#bin, ...odd });
      if (attempt === ATTEMPTS || !hasMissed(report)) return report;
    }
  }

  hunt(mutant: Mutant, trials: number): Promise<HuntReport> {
    return hunt(mutant, this.#common(trials));
  }

  async close(): Promise<void> {
    await closeServers(this.#servers);
    await removePatchedBuilds();
  }

  #common(trials: number) {
    return {
      ...{ servers: this.#servers, reference: this.#reference, seed: this.#seed, trials },
      say: (): void => undefined,
    };
  }
}

function hasMissed({ reports, failures }: CampaignReport): boolean {
  const broken = reports.flatMap(({ violations }) => violations.map(({ rule }) => rule));
  const clean = failures.length === 0 && reports.every(isClean);
  return !clean && broken.every((rule) => MISSED.includes(rule));
}

/** Runs things, so many at a time, in order; each can be waited for by its name. */
export class Pool<T> {
  readonly #results: ReadonlyMap<string, Promise<T>>;

  constructor(atOnce: number, work: readonly (readonly [name: string, run: () => Promise<T>])[]) {
    const running: Promise<unknown>[] = Array.from({ length: atOnce }, () => Promise.resolve());
    this.#results = new Map(
      work.map(([name, run], i) => {
        const result = running[i % atOnce]!.then(run);
        // Whoever waits for it hears of a failure; the next one runs all the same.
        running[i % atOnce] = result.catch(() => undefined);
        return [name, result];
      }),
    );
  }

  result(name: string): Promise<T> {
    return this.#results.get(name) ?? Promise.reject(new Error(`Nothing is called ${name}`));
  }
}
