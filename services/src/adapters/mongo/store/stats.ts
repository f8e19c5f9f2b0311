import type { ClassBacklog } from '../../../ports/job-store.ts';

/** Of one class, as it was counted. */
export type CountedClass = Pick<ClassBacklog, 'class' | 'jobs' | 'iterations'>;

/** What was counted last, by anybody. */
export interface StatsDoc {
  readonly _id: string;
  readonly queued?: readonly CountedClass[];
  readonly running?: number;
  readonly countedAt?: Date;
  readonly tookMs?: number;
  /** Nobody counts before. */
  readonly nextAt: Date;
}
