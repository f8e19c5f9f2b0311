import { COST_CLASSES } from './cost.ts';
import type { CostClass } from './job.ts';

/** What a worker holds when it decides what to claim next. */
export interface Holding {
  /** Lanes, of all engines, that have no chain. */
  readonly freeLanes: number;
  /** Jobs held. */
  readonly jobs: number;
  /** Seconds of work held, by class, at the worker's full rate. */
  readonly seconds: Readonly<Record<CostClass, number>>;
}

export interface ClaimLimits {
  /** A worker holds about this many seconds of work of a class and the shorter ones. */
  readonly holdSeconds: number;
  /** The most jobs held. */
  readonly maxJobs: number;
}

/**
 * The classes to claim from, cheapest first: any class while a lane is free, or while the work held of that class and
 * the shorter ones is less than `holdSeconds`. So lanes are never idle, a short job never waits behind long ones that
 * are held, and nobody hoards what another could do.
 */
export function wantedClasses(holding: Holding, limits: ClaimLimits): CostClass[] {
  if (holding.jobs >= limits.maxJobs) return [];
  let held = 0;
  return COST_CLASSES.filter((costClass) => {
    held += holding.seconds[costClass];
    return holding.freeLanes > 0 || held < limits.holdSeconds;
  });
}

/** Jobs of a class that are claimed in one go: many short ones, few long ones, so that nobody takes more than a share. */
export function claimSize(costClass: CostClass): number {
  return [512, 64, 8, 4][costClass]!;
}
