import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jobText } from '../job-text.ts';
import { parseJobId } from '../parse.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';

async function status(session: Session, _options: object, [id]: readonly string[]): Promise<ExitCode> {
  const job = await session.client().job(id!);
  session.output.result(jobText(job), job);
  return EXIT.ok;
}

/** `hashcluster status ID` */
export function addStatus({ program, run }: Registry): void {
  program
    .command('status')
    .summary('say where a job stands')
    .description('Prints what is known of a job now. Exit code 0 whatever its state.')
    .argument('<id>', 'the job', parseJobId)
    .addHelpText(
      'after',
      examples([
        ['hashcluster status 0123456789abcdefghjkmnpqrs', 'state, position, rate and times'],
        ['hashcluster status 0123456789abcdefghjkmnpqrs --output json', 'the same for programs'],
      ]),
    )
    .action(run(status));
}
