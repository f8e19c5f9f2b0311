import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reference } from '../audit/job-mix.ts';
import { percentile, rounded } from '../lib/statistics.ts';
import { CHECKOUT } from '../servers/container.ts';
import { Cluster, type Servers } from './cluster.ts';
import { Round } from './round.ts';
import type { Figures, Scenario } from './scenario.ts';
import { runTrial, type TrialReport } from './trial.ts';

/** What went wrong in a trial is kept here. */
const EVIDENCE = join(CHECKOUT, '.cache', 'chaos');
/** Log lines of each process that are kept with it. */
const LOG_LINES = 300;

export interface CampaignOptions {
  readonly scenario: Scenario;
  readonly trials: number;
  readonly seed: string;
  /** Trials at the same time, each on a cluster of its own; all of them on the same servers. */
  readonly parallel: number;
  readonly servers: Servers;
  readonly reference: Reference;
  readonly bin: string;
  readonly oddBin?: string;
  readonly say: (line: string) => void;
  /** Looked at after each trial: true ends the campaign. */
  readonly enough?: (report: TrialReport) => boolean;
}

/** A trial that came to no end: something could not be started, or was not there. */
export interface Failure {
  readonly seed: string;
  readonly error: string;
}

export interface CampaignReport {
  readonly reports: readonly TrialReport[];
  readonly failures: readonly Failure[];
}

/**
 * Runs trials of a scenario, several at once. A cluster is kept from trial to trial while all is well. Trials that leave the
 * servers alone go on without each other; of others, those at the same time are struck by the same harm.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const tally = new Tally(options);
  const atOnce = Math.min(options.parallel, options.trials);
  const slots = Array.from({ length: atOnce }, () => new Slot(options));
  const run = async (slot: Slot, number: number, round: Round): Promise<void> =>
    tally.note(await slot.trial(number, round));
  if (options.scenario.sharesServers) {
    await Promise.all(
      slots.map(async (slot) => {
        for (const number of tally.numbers()) await run(slot, number, new Round(1));
      }),
    );
  }
  for (const first of tally.numbers()) {
    const numbers = [first, ...tally.take(slots.length - 1)];
    const round = new Round(numbers.length);
    await Promise.all(numbers.map((number, i) => run(slots[i]!, number, round)));
  }
  await Promise.all(slots.map((slot) => slot.close()));
  return tally;
}

/** Which trials are still to be made, and what has come of the others. */
class Tally implements CampaignReport {
  readonly reports: TrialReport[] = [];
  readonly failures: Failure[] = [];
  readonly #options: CampaignOptions;
  #taken = 0;
  #enough = false;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** Numbers of trials, as long as there are any for whoever asks. */
  *numbers(): Generator<number> {
    while (!this.#enough && this.#taken < this.#options.trials) yield ++this.#taken;
  }

  /** At most so many numbers. */
  take(count: number): number[] {
    const numbers = this.numbers();
    return Array.from({ length: count }, () => numbers.next()).flatMap(({ value, done }) =>
      done ? [] : value,
    );
  }

  note(result: TrialReport | Failure): void {
    if ('error' in result) {
      this.failures.push(result);
      return;
    }
    this.reports.push(result);
    this.#enough ||= this.#options.enough?.(result) ?? false;
  }
}

/** A cluster of its own on the shared servers, on which one trial follows the other. */
class Slot {
  readonly #options: CampaignOptions;
  #cluster: Cluster | null = null;
  #askedBefore = new Set<string>();

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  async trial(number: number, round: Round): Promise<TrialReport | Failure> {
    const { scenario, reference, say } = this.#options;
    const together = round.join();
    const seed = `${this.#options.seed}/${scenario.name}/${number}`;
    const began = performance.now();
    try {
      this.#cluster ??= await this.#start(seed);
      const report = await runTrial({
        scenario,
        reference,
        seed,
        cluster: this.#cluster,
        askedBefore: this.#askedBefore,
        together,
      });
      const seconds = rounded((performance.now() - began) / 1_000, 1);
      say(`${scenario.name} ${number}: ${summary(report)}, ${seconds} s`);
      if (!isClean(report)) await this.#keep(seed, report);
      if (!isClean(report)) await this.close();
      return report;
    } catch (error) {
      const failure = { seed, error: String((error as Error).stack) };
      say(`${scenario.name} ${number}: ${String(error)}`);
      await this.#keep(seed, failure);
      await this.close();
      return failure;
    } finally {
      together.leave();
    }
  }

  /** What was wrong may hurt the next trial: that begins with a cluster of its own. */
  async close(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = null;
    await cluster?.remove();
  }

  async #start(seed: string): Promise<Cluster> {
    const { scenario, servers, bin, oddBin } = this.#options;
    const { endpoints, workers, env = {}, wallClocks = false, smallBuffers = false } = scenario;
    this.#askedBefore = new Set();
    return Cluster.start(servers, {
      ...{ name: scenario.name, seed, endpoints, workers, env, wallClocks, smallBuffers, bin },
      ...(oddBin !== undefined && { oddBin }),
    });
  }

  async #keep(seed: string, what: object): Promise<void> {
    await mkdir(EVIDENCE, { recursive: true });
    const logs = this.#cluster?.members.map(({ name, log }) => [name, log.slice(-LOG_LINES)]) ?? [];
    const file = join(EVIDENCE, `${seed.replaceAll(/[^\w.-]+/g, '_')}.json`);
    await writeFile(file, JSON.stringify({ ...what, logs: Object.fromEntries(logs) as object }, null, 1));
    this.#options.say(`  kept in ${file}`);
  }
}

/** Nothing is missing, wrong or against what the scenario promises; how long it took is another question. */
export function isClean({ violations, breaches }: TrialReport): boolean {
  return violations.length === 0 && breaches.length === 0;
}

function summary(report: TrialReport): string {
  const { acknowledged, unknown, refused, lateWrites, violations, breaches, late } = report;
  const rules = [...new Set(violations.map(({ rule }) => rule))].join(', ');
  const faults = violations.length > 0 ? `${violations.length} VIOLATIONS (${rules})` : 'clean';
  const figures = Object.entries(report.figures).map(([name, value]) => `${name} ${value}`);
  return [
    ...[faults, ...breaches.map((breach) => `BREACH: ${breach}`), ...late.map((what) => `LATE: ${what}`)],
    `${acknowledged} acknowledged, ${unknown} unknown, ${refused} refused, ${lateWrites} late writes`,
    ...figures,
  ].join(', ');
}

/** The campaign in one line: counts, and of each figure the least, the middle and the most. */
export function campaignLine(scenario: string, seed: string, { reports, failures }: CampaignReport): object {
  const sum = (of: (report: TrialReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const violations = reports.flatMap((report) =>
    report.violations.map((violation) => ({ seed: report.seed, ...violation })),
  );
  const breaches = reports.flatMap((report) => report.breaches.map((what) => ({ seed: report.seed, what })));
  const late = reports.flatMap((report) => report.late.map((what) => ({ seed: report.seed, what })));
  return {
    scenario,
    seed,
    trials: reports.length + failures.length,
    clean: reports.filter(isClean).length,
    acknowledged: sum((report) => report.acknowledged),
    leastAcknowledged: Math.min(...reports.map((report) => report.acknowledged)),
    attempts: sum((report) => report.attempts),
    unknown: sum((report) => report.unknown),
    refused: sum((report) => report.refused),
    cancelled: sum((report) => report.cancelled),
    lateWrites: sum((report) => report.lateWrites),
    figures: spread(reports.map((report) => report.figures)),
    violations: violations.slice(0, 10),
    breaches: breaches.slice(0, 10),
    late: late.slice(0, 10),
    failures: failures.slice(0, 10),
  };
}

function spread(figures: readonly Figures[]): Record<string, readonly [number, number, number]> {
  const names = [...new Set(figures.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = figures.flatMap((one) => one[name] ?? []);
      return [name, [Math.min(...values), percentile(values, 0.5), Math.max(...values)]];
    }),
  );
}
