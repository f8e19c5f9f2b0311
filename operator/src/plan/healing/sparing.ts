import { fresh, type Observed } from '../observed.ts';
import type { Patient } from './healing-plan.ts';

const VALID_MS = 120_000;
const CATCHING_UP: readonly string[] = ['STARTUP', 'STARTUP2', 'RECOVERING', 'ROLLBACK'];

/** A member of the replica set that catches up with the others would only have to begin again. */
export function sparing(patient: Patient, { readings, now }: Observed): Patient {
  if (patient.component !== 'mongodb' || !patient.isCurable) return patient;
  const members = fresh(readings.mongo, now, VALID_MS)?.members ?? [];
  const member = members.find(({ host }) => host.split('.')[0] === patient.pod.metadata.name);
  if (!member || !CATCHING_UP.includes(member.state)) return patient;
  return { ...patient, isCurable: false, says: `catches up with the others (${member.state})` };
}
