import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatCount } from '../format.ts';
import { parseJobId } from '../parse.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';

async function cancel(session: Session, _options: object, [id]: readonly string[]): Promise<ExitCode> {
  const job = await session.client().cancel(id!);
  session.output.result(`cancelled ${job.id} at position ${formatCount(job.position)}`, job);
  return EXIT.ok;
}

/** `hashcluster cancel ID` */
export function addCancel({ program, run }: Registry): void {
  program
    .command('cancel')
    .summary('stop a job that has not ended')
    .description('Cancels a job that is queued or running. Submitting it again queues it again.')
    .argument('<id>', 'the job', parseJobId)
    .addHelpText('after', examples([['hashcluster cancel 0123456789abcdefghjkmnpqrs', 'cancel a job']]))
    .action(run(cancel));
}
