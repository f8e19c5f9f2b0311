import { check, jobKey, type Demands, type Violation } from '../audit/checker.ts';
import { History, type Final } from '../audit/history.ts';
import { JobMix, type Reference } from '../audit/job-mix.ts';
import { Load } from '../audit/load.ts';
import { Observer } from '../audit/observer.ts';
import { Random } from '../faults/random.ts';
import type { Cluster } from './cluster.ts';
import type { Together } from './round.ts';
import { pause, within, type Figures, type Scenario, type Scene } from './scenario.ts';

/** Jobs acknowledged in a trial, at least; the fault strikes after a random number of them. */
const DEMANDS: Demands = { acknowledged: 300, acknowledgedBefore: 50, ratePerSecond: 3, lateWrites: 0 };
const STRIKE_AFTER = { least: 60, most: 160 };
/** What is not acknowledged so long after the fault, and what is not done so long after that, is missing. */
const ACKNOWLEDGE_MS = 90_000;
const DRAIN_MS = 240_000;
const LONG = { count: 1, strides: 8 };

export interface TrialReport {
  readonly seed: string;
  readonly violations: readonly Violation[];
  /** Promises of the scenario that did not hold, and what took longer than it may. */
  readonly breaches: readonly string[];
  readonly late: readonly string[];
  readonly acknowledged: number;
  readonly attempts: number;
  readonly unknown: number;
  readonly refused: number;
  readonly cancelled: number;
  readonly lateWrites: number;
  readonly figures: Figures;
}

export interface TrialOptions {
  readonly scenario: Scenario;
  readonly cluster: Cluster;
  readonly reference: Reference;
  readonly seed: string;
  /** Keys of what earlier trials on this cluster have asked for. This trial's are added. */
  readonly askedBefore: Set<string>;
  readonly together: Together;
}

/** One run: load, a fault at a random moment, healing, drain, audit. The cluster is whole again afterwards. */
export async function runTrial(options: TrialOptions): Promise<TrialReport> {
  const { scenario, cluster, reference, seed, askedBefore, together } = options;
  const random = new Random(`${seed}/trial`);
  const history = new History();
  const { callers, store } = cluster;
  const load = new Load({
    callers,
    history,
    seed,
    mix: new JobMix({ seed, reference, long: { ...LONG, count: scenario.longJobs ?? LONG.count } }),
  });
  const observer = new Observer({ history, callers, store, seed });
  const marks = {
    faultAt: null as number | null,
    lateWrites: 0,
    breaches: [] as string[],
    late: [] as string[],
  };
  const scene: Scene = {
    ...{ cluster, history, load, random, once: together.once },
    strike: () => (marks.faultAt = performance.now()),
    lateWrites: (count) => (marks.lateWrites += count),
    breach: (what) => marks.breaches.push(what),
    late: (what) => marks.late.push(what),
  };
  await cluster.ready();
  observer.start();
  load.start();
  const figures = await run(scene, scenario).finally(() => Promise.all([load.finish(0), observer.stop()]));
  const final: Final[] = await store.final();
  const violations = check(
    { ...history.seen(), final, askedBefore, faultAt: marks.faultAt, lateWrites: marks.lateWrites },
    { ...DEMANDS, ...scenario.demands },
  );
  for (const job of history.asked.values())
    askedBefore.add(jobKey({ chain: job.chain, iterations: job.body.iterations }));
  return { seed, violations, ...marks, ...countsOf(history, final), figures };
}

/** Load, harm, healing, drain. */
async function run({ load, random, cluster, ...scene }: Scene, scenario: Scenario): Promise<Figures> {
  const before = random.whole(STRIKE_AFTER.least, STRIKE_AFTER.most);
  if (!(await load.acknowledged(before, ACKNOWLEDGE_MS)))
    throw new Error(`${before} jobs were not acknowledged within ${ACKNOWLEDGE_MS} ms, before any fault`);
  await pause(random.next() * 500);
  const began = performance.now();
  const figures = await scenario.fault({ load, random, cluster, ...scene });
  await load.acknowledged(DEMANDS.acknowledged + 10, ACKNOWLEDGE_MS);
  await load.finish(ACKNOWLEDGE_MS);
  const over = performance.now();
  await within(scenario.drainMs ?? DRAIN_MS, async () => (await cluster.store.count().catch(() => 1)) === 0);
  return { ...figures, faultMs: Math.round(over - began), drainMs: Math.round(performance.now() - over) };
}

function countsOf(
  { attempts, acknowledged, asked }: History,
  final: readonly Final[],
): Pick<TrialReport, 'acknowledged' | 'attempts' | 'unknown' | 'refused' | 'cancelled'> {
  const own = new Set(
    [...asked.values()].map(({ chain, body }) => jobKey({ chain, iterations: body.iterations })),
  );
  const count = (kind: string): number => attempts.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    acknowledged: acknowledged.size,
    attempts: attempts.length,
    unknown: count('unknown'),
    refused: count('refused'),
    cancelled: final.filter((job) => job.state === 'cancelled' && own.has(jobKey(job))).length,
  };
}
