import type { JobId } from '../../../jobs/job.ts';
import { complete, UNKNOWN, type CompleteAnswer, type Completion } from '../../../jobs/machine.ts';
import { momentOf, type Context } from './context.ts';
import { dropLive, settle } from './settle.ts';

/** Results first, and when a majority has them, the live jobs go. What a crash leaves in between the sweep clears away. */
export async function completeBatch(
  context: Context,
  batch: readonly Completion[],
): Promise<CompleteAnswer[]> {
  const moment = momentOf(context);
  const first = new Map<JobId, Completion>();
  for (const done of batch) if (!first.has(done.id)) first.set(done.id, done);
  const results = [...first.values()].map((done) => complete(UNKNOWN, done, moment).record.result!);
  const settled = await settle(context, results, { isLate: true });
  const answers = batch.map((done): CompleteAnswer => {
    const { answer, result } = settled.get(done.id)!;
    if (result.outcome === 'cancelled') return 'cancelled';
    if (result.digest !== done.digest) return 'contradiction';
    return answer === 'stored' && first.get(done.id) === done ? 'stored' : 'known';
  });
  const stands = (answer: CompleteAnswer): boolean => answer === 'stored' || answer === 'known';
  const ended = batch.filter((_, i) => stands(answers[i]!)).map(({ id }) => id);
  await dropLive(context, [...new Set(ended)]);
  return answers;
}
