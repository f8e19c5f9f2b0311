import { Option } from 'commander';
import { measureBackend, type BackendRates } from '../bench-engine.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatRate, formatTable, printable } from '../format.ts';
import { wantedBackend } from '../kernels.ts';
import { countParser, parseDuration } from '../parse.ts';
import { examples, type Registry } from '../registry.ts';
import type { Session } from '../session.ts';
import { BACKENDS, type BackendName } from '../../ports/hasher.ts';

interface BenchOptions {
  readonly time: number;
  readonly engines?: number;
  readonly backend?: BackendName;
}

const HEAD = ['BACKEND', 'LANES', 'ONE CHAIN', 'ONE CORE', 'ALL ENGINES'];

/** The rates as a table. */
export function ratesText(rates: readonly BackendRates[]): string {
  const rows = rates.map((rate) => [
    rate.backend,
    String(rate.lanes),
    ...[rate.oneChain, rate.oneEngine, rate.allEngines].map(formatRate),
  ]);
  return formatTable([HEAD, ...rows], [1, 2, 3, 4]);
}

async function bench(session: Session, options: BenchOptions): Promise<ExitCode> {
  const { availableBackends } = await import('../../hashing/select.ts');
  const { cpuInfo, engineCount } = await import('../../hashing/cpu.ts');
  const { available, nativeMissing } = availableBackends();
  const wanted = options.backend === undefined ? available : [wantedBackend(options.backend, available)];
  const engines = engineCount(options.engines);
  const { model: cpu, features } = cpuInfo();
  if (nativeMissing !== null) session.output.note(`No native code: ${nativeMissing}.`);
  session.output.note(`${printable(cpu)}, ${engines} engines; iterations of SHA-512 per second`);
  const backends: BackendRates[] = [];
  for (const backend of wanted) {
    backends.push(await measureBackend(backend, { engines, ms: options.time, signal: session.signal }));
  }
  session.output.result(ratesText(backends), { cpu, features, engines, backends });
  return EXIT.ok;
}

/** `hashcluster bench` */
export function addBench({ program, run }: Registry): void {
  program
    .command('bench')
    .summary('measure how fast this machine hashes')
    .description(
      'Measures each hashing backend that works on this machine, without a service: one chain alone, one core with ' +
        'full lanes, and all engines with full lanes.',
    )
    .addOption(
      new Option('--time <time>', 'how long each of the three is measured')
        .argParser(parseDuration)
        .default(300, '300ms'),
    )
    .addOption(
      new Option('--engines <n>', 'engines (threads); one per core unless told').argParser(
        countParser('The number of engines', 1, 1_024),
      ),
    )
    .addOption(new Option('--backend <name>', 'only this backend').choices(BACKENDS))
    .addHelpText(
      'after',
      examples([
        ['hashcluster bench', 'a table, in a few seconds'],
        ['hashcluster bench --backend node --time 2s', 'one backend, more carefully'],
      ]),
    )
    .action(run(bench));
}
