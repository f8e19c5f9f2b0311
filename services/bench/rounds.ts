import { performance } from 'node:perf_hooks';
import { median } from './report.ts';

/** Something that hashes chains: as many at once as it has lanes. */
export interface Contender {
  readonly name: string;
  readonly lanes: number;
  /** Advances every lane. */
  run(steps: number): void;
  /** Where the first lane stands. All contenders begin with the same digest. */
  digest(): string;
}

/** In nanoseconds per iteration of one chain. */
export interface Figure {
  readonly name: string;
  readonly lanes: number;
  readonly best: number;
  readonly median: number;
}

/** Short, so that many bursts fall between what else the machine does; long enough for the clock. In milliseconds. */
const BURST_MS = 1;

/** Lets compilers that watch what is hot finish with everything. */
const WARM_UP_MS = 100;

/** Steps of the run that must give the same for all. */
const CHECKED_STEPS = 1_000;

/** Runs the contenders in turns for some seconds. Throws where one gives another digest than the first. */
export function measure(
  contenders: readonly Contender[],
  seconds: number,
): { figures: Figure[]; rounds: number } {
  check(contenders);
  const steps = contenders.map(stepsPerBurst);
  const samples: number[][] = contenders.map(() => []);
  const end = performance.now() + seconds * 1_000;
  let rounds = 0;
  for (; rounds === 0 || performance.now() < end; rounds++) {
    contenders.forEach((contender, i) => samples[i]!.push(time(contender, steps[i]!)));
  }
  const figures = contenders.map(({ name, lanes }, i) => {
    const all = samples[i]!;
    return { name, lanes, best: all.reduce((least, sample) => Math.min(least, sample)), median: median(all) };
  });
  return { figures, rounds };
}

function check(contenders: readonly Contender[]): void {
  for (const contender of contenders) {
    contender.run(CHECKED_STEPS);
    const [first] = contenders;
    if (contender.digest() === first!.digest()) continue;
    throw new Error(`${contender.name} gives another digest than ${first!.name}`);
  }
}

function stepsPerBurst(contender: Contender): number {
  const end = performance.now() + WARM_UP_MS;
  let best = Number.POSITIVE_INFINITY;
  do best = Math.min(best, time(contender, CHECKED_STEPS));
  while (performance.now() < end);
  return Math.max(1, Math.round((BURST_MS * 1e6) / (best * contender.lanes)));
}

/** Nanoseconds per iteration of one chain. */
function time(contender: Contender, steps: number): number {
  const start = performance.now();
  contender.run(steps);
  return ((performance.now() - start) * 1e6) / (steps * contender.lanes);
}
