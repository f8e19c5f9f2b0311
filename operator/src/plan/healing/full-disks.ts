import { fresh, type Observed, type Reading } from '../observed.ts';
import { isReady, podsOf } from '../pods.ts';
import { workerReports } from '../scaling/work.ts';
import type { Patient } from './healing-plan.ts';

/** Servers are asked for their disks every half a minute. */
const VALID_MS = 120_000;

interface Disk {
  readonly used: number;
  readonly total: number;
}

/** Pods whose disk is full. What is on a worker's goes with it; a server's volume has to grow instead. */
export function fullDisks(observed: Observed): Patient[] {
  const { mongo, kafka } = observed.readings;
  const reports = workerReports(observed);
  const ofWorker = (name: string): Disk | null => {
    const disk = reports?.get(name)?.disk;
    return disk ? { used: disk.total - disk.free, total: disk.total } : null;
  };
  const members = valueOf(mongo, observed)?.disks ?? [];
  const brokers = valueOf(kafka, observed)?.disks ?? [];
  const ofMember = (name: string): Disk | null =>
    members.find(({ host }) => host.split('.')[0] === name) ?? null;
  const ofBroker = (name: string): Disk | null => {
    return brokers.find(({ broker }) => name.endsWith(`-${broker}`)) ?? null;
  };
  return [
    ...patientsOf('worker', observed, ofWorker),
    ...patientsOf('mongodb', observed, ofMember),
    ...patientsOf('kafka', observed, ofBroker),
  ];
}

function valueOf<T>(reading: Reading<T> | null, { now }: Observed): T | null {
  return fresh(reading, now, VALID_MS);
}

function patientsOf(
  component: Patient['component'],
  observed: Observed,
  diskOf: (name: string) => Disk | null,
): Patient[] {
  const { diskPercent } = observed.cluster.spec.healing;
  return podsOf(observed, component)
    .filter(isReady)
    .flatMap((pod): Patient[] => {
      const disk = diskOf(pod.metadata.name);
      if (!disk || disk.total <= 0 || (disk.used * 100) / disk.total < diskPercent) return [];
      const isCurable = component === 'worker';
      const says = `its disk is more than ${diskPercent} % full${isCurable ? '' : ': raise its storage, or maxStorage'}`;
      return [
        {
          component,
          pod,
          illness: 'DiskFull',
          since: null,
          isDue: true,
          isCurable,
          startFailure: null,
          says,
        },
      ];
    });
}
