import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reference } from '../audit/job-mix.ts';
import { percentile, rounded } from '../lib/statistics.ts';
import { CHECKOUT } from '../servers/container.ts';
import { Cluster, type Servers } from './cluster.ts';
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
  /** Trials at the same time, each on a cluster of its own. */
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

/** Runs trials of a scenario, several at once where it allows that. A cluster is kept from trial to trial while all is well. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { scenario, trials, parallel } = options;
  const reports: TrialReport[] = [];
  const failures: Failure[] = [];
  let next = 1;
  let enough = false;
  const slot = async (number: number): Promise<void> => {
    const place = new Slot(options, number);
    while (next <= trials && !enough) {
      const result = await place.trial(next++);
      if ('error' in result) failures.push(result);
      else {
        reports.push(result);
        enough ||= options.enough?.(result) ?? false;
      }
    }
    await place.close();
  };
  const slots = scenario.sharesServers ? Math.min(parallel, trials) : 1;
  await Promise.all(Array.from({ length: slots }, (_, i) => slot(i + 1)));
  return { reports, failures };
}

/** A cluster of its own on the shared servers, on which one trial follows the other. */
class Slot {
  readonly #options: CampaignOptions;
  readonly #number: number;
  #cluster: Cluster | null = null;
  #clusters = 0;
  #askedBefore = new Set<string>();

  constructor(options: CampaignOptions, number: number) {
    this.#options = options;
    this.#number = number;
  }

  async trial(number: number): Promise<TrialReport | Failure> {
    const { scenario, reference, say } = this.#options;
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
    }
  }

  /** What was wrong may hurt the next trial: that begins with a cluster of its own. */
  async close(): Promise<void> {
    await this.#cluster?.close();
    this.#cluster = null;
  }

  async #start(seed: string): Promise<Cluster> {
    const { scenario, servers, bin, oddBin } = this.#options;
    const { endpoints, workers, env = {} } = scenario;
    this.#askedBefore = new Set();
    const name = `hc-${process.pid}-${scenario.name}-${this.#number}-${++this.#clusters}`;
    return Cluster.start(servers, {
      ...{ name, seed, endpoints, workers, env, bin },
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

/** Nothing is missing, wrong or against what the scenario promises. */
export function isClean({ violations, breaches }: TrialReport): boolean {
  return violations.length === 0 && breaches.length === 0;
}

function summary(report: TrialReport): string {
  const { acknowledged, unknown, refused, lateWrites, violations, breaches } = report;
  const rules = [...new Set(violations.map(({ rule }) => rule))].join(', ');
  const faults = violations.length > 0 ? `${violations.length} VIOLATIONS (${rules})` : 'clean';
  const figures = Object.entries(report.figures).map(([name, value]) => `${name} ${value}`);
  return [
    ...[faults, ...breaches.map((breach) => `BREACH: ${breach}`)],
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
