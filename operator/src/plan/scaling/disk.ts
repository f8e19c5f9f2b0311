import { fresh, type Reading } from '../observed.ts';
import { roundUp, type RoleView, type Signal } from './signal.ts';
import { clusterReport, usefulWorkers, workerReports } from './work.ts';

/** How old a server's word may be. Disks fill slowly, and servers are asked every half a minute. */
const VALID_MS = 120_000;

interface Disk {
  readonly used: number;
  readonly total: number;
}

/**
 * How full disks are: the store's and the bus's fullest one, and the mean of the workers' own. A disk below its target asks
 * for nothing: that it is half full is no reason for pods. Near the target it asks for as many as there are, above it for
 * more. Of workers, as long as there is work for them, since they turn what is queued into results. Of endpoints, which do
 * not make it any emptier, in proportion to the fewest: otherwise they would become more with every look. They keep
 * nothing on disk themselves.
 */
export function diskSignals(view: RoleView): Signal[] {
  const { disk } = view.spec.scaling;
  if (!disk.enabled) return [];
  const { mongo, kafka } = view.observed.readings;
  const isWorker = view.role === 'worker';
  const useful = isWorker ? usefulWorkers(clusterReport(view.observed)) : Infinity;
  return [
    ...serverSignal('MongoDB', { view, reading: mongo, useful }),
    ...serverSignal('Kafka', { view, reading: kafka, useful }),
    ...(isWorker ? ownSignal(view) : []),
  ];
}

interface ServerDisks {
  readonly view: RoleView;
  readonly reading: Reading<{ readonly disks: readonly Disk[] }> | null;
  readonly useful: number;
}

/** Nothing when nobody is asked (an external server), or when no member says. */
function serverSignal(name: string, { view, reading, useful }: ServerDisks): Signal[] {
  if (reading === null) return [];
  const report = fresh(reading, view.observed.now, VALID_MS);
  if (report === null) {
    const why = 'error' in reading ? reading.error : 'it has not answered lately';
    return [{ name: 'disk', known: false, says: `disk of ${name}: ${why}` }];
  }
  const shares = report.disks.filter(({ total }) => total > 0).map(({ used, total }) => used / total);
  return shares.length === 0 ? [] : [signal(`disk of ${name}`, Math.max(...shares), useful, view)];
}

/** What the pods say of the disk that they write to. Null reports are pods that write to none. */
function ownSignal(view: RoleView): Signal[] {
  const reports = workerReports(view.observed);
  if (reports === null) return [{ name: 'disk', known: false, says: 'no endpoint says how full disks are' }];
  const shares = view.pods.flatMap(({ metadata }) => {
    const disk = reports.get(metadata.name)?.disk;
    return disk && disk.total > 0 ? [1 - disk.free / disk.total] : [];
  });
  if (shares.length === 0) return [];
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return [signal('disk of the pods', mean, Infinity, view)];
}

function signal(what: string, share: number, useful: number, { role, spec, current }: RoleView): Signal {
  const { disk, tolerance } = spec.scaling;
  const ratio = (share * 100) / disk.utilization;
  const says = `${what} ${Math.round(share * 100)} % / ${disk.utilization} % target`;
  const { min, max } = spec.replicas;
  const wanted = roundUp((role === 'worker' ? current : min) * Math.max(1, ratio));
  const counts = ratio > 1 + tolerance || wanted >= max;
  const asked = ratio < 1 - tolerance ? min : counts ? wanted : current;
  return { name: 'disk', known: true, replicas: Math.min(asked, useful), says };
}
