import type { Condition } from '../../api/status.ts';

/** What a condition says: without its type, and when it became so. */
export type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

export function yes(reason: string, message: string): Verdict {
  return { status: 'True', reason, message };
}

export function no(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}

export function unknown(reason: string, message: string): Verdict {
  return { status: 'Unknown', reason, message };
}
