import type { CostClass } from './job.ts';

const CLASS_LIMITS = [1e5, 1e7, 1e9] as const;

/** Every cost class, cheapest first. */
export const COST_CLASSES: readonly CostClass[] = [0, 1, 2, 3];

/**
 * The cost class of a job, by its iterations left. There is a queue per class, so that a short job never stands
 * behind long ones.
 */
export function costClassOf(iterationsLeft: number): CostClass {
  const index = CLASS_LIMITS.findIndex((limit) => iterationsLeft <= limit);
  return (index === -1 ? CLASS_LIMITS.length : index) as CostClass;
}
