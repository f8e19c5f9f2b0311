import type { Action } from '../action.ts';
import { refOf } from '../kube.ts';
import type { Component, Observed } from '../observed.ts';
import { componentOf, hasEnded } from '../pods.ts';
import { attemptFor, type Attempt } from './backoff.ts';
import { diagnose } from './diagnose.ts';
import { fullDisks } from './full-disks.ts';
import type { HealingPlan, Hold, Patient } from './healing-plan.ts';
import { curable, holdFor, holdSays, type Ward } from './holds.ts';
import { hear } from './silence.ts';
import { sparing } from './sparing.ts';

const COMPONENTS: readonly Component[] = ['mongodb', 'kafka', 'endpoint', 'worker'];
/** A hold that goes on is told again after so long. */
const TOLD_MS = 600_000;

/**
 * Which pods are ill, and which one of them is replaced now. Probes and restarts come first; then one pod at a time is
 * evicted, within a budget, and none while the fault looks wider than a pod. Nothing for a cluster that is paused or
 * being deleted.
 */
export function planHealing(observed: Observed): HealingPlan {
  const { spec, metadata } = observed.cluster;
  if (spec.paused || metadata.deletionTimestamp !== undefined)
    return { patients: [], holds: [], actions: [] };
  const { patients, isDeaf } = examine(observed);
  const holds: Hold[] = [];
  const actions: Action[] = [];
  for (const component of COMPONENTS) {
    const own = patients.filter((patient) => patient.component === component);
    const due = own.filter(({ isDue }) => isDue);
    if (due.length === 0) continue;
    const ward: Ward = { component, observed, patients: own, due, everybody: patients, isDeaf };
    // One at a time: what was just decided is under way for the next component.
    const hold = actions.length > 0 ? justActed() : holdFor(ward);
    const choice = hold ?? choose(ward);
    if ('patient' in choice) actions.push(...replace(choice, observed));
    else holds.push({ component, ...choice });
  }
  return {
    patients,
    holds,
    actions: [...actions, ...holds.flatMap((hold) => tell(hold, patients, observed))],
  };
}

/** Every pod once, with the first thing that is wrong with it. */
function examine(observed: Observed): { patients: Patient[]; isDeaf: boolean } {
  const { now, cluster, pods } = observed;
  const seen = pods
    .filter((pod) => !hasEnded(pod))
    .flatMap((pod) => {
      const component = COMPONENTS.find((name) => name === componentOf(pod));
      const patient = component && diagnose(pod, { component, healing: cluster.spec.healing, now });
      return patient ? [patient] : [];
    });
  const { patients: silent, isDeaf } = hear(observed);
  const patients = new Map<string, Patient>();
  for (const patient of [...seen, ...fullDisks(observed), ...silent].map((one) => sparing(one, observed))) {
    const { name } = patient.pod.metadata;
    if (!patients.has(name)) patients.set(name, patient);
  }
  return { patients: [...patients.values()], isDeaf };
}

interface Choice {
  readonly patient: Patient;
  readonly attempt: Attempt;
}

/** The one that has been ill longest, of those whose turn it is. */
function choose(ward: Ward): Choice | Omit<Hold, 'component'> {
  const { observed } = ward;
  const { backoff } = observed.cluster.spec.healing;
  const candidates = curable(ward)
    .map((patient) => ({ patient, attempt: attemptFor(patient, observed.ledger, backoff) }))
    .toSorted((a, b) => (a.patient.since ?? 0) - (b.patient.since ?? 0));
  const next = candidates.find(({ attempt }) => attempt.notBefore <= observed.now);
  if (next) return next;
  return {
    reason: 'BackingOff',
    message: 'it was replaced lately, and that did not help; it will be tried again',
  };
}

function replace({ patient, attempt }: Choice, { now }: Observed): Action[] {
  const { component, pod, illness, says } = patient;
  const { name, uid = '' } = pod.metadata;
  const nth = attempt.number > 1 ? ` (replacement ${attempt.number} in a row)` : '';
  const why = `${illness}: ${name} ${says}${nth}`;
  const entry = { kind: 'disruption', at: now, component, pod: name, uid, reason: illness } as const;
  return [
    { kind: 'evict', ref: refOf(pod), why },
    { kind: 'remember', entry: { ...entry, attempt: attempt.number }, why },
    { kind: 'event', type: 'Warning', reason: 'PodReplaced', message: why },
  ];
}

/** Tells of a hold when it begins, and now and then while it lasts. */
function tell(hold: Hold, patients: readonly Patient[], { ledger, now }: Observed): Action[] {
  const { component, reason, message } = hold;
  if (reason === 'InProgress') return [];
  const last = ledger.findLast((entry) => entry.kind === 'hold' && entry.component === component);
  if (last?.kind === 'hold' && last.reason === reason && now - last.at < TOLD_MS) return [];
  const due = patients.filter((patient) => patient.component === component && patient.isDue);
  const names = due.map(({ pod, illness, says }) => `${pod.metadata.name} (${illness}: ${says})`);
  const text = `${holdSays(hold)}: ${names.join('; ')}`.slice(0, 1_000);
  return [
    { kind: 'remember', entry: { kind: 'hold', at: now, component, reason }, why: message },
    { kind: 'event', type: 'Warning', reason: `Healing${reason}`, message: text },
  ];
}

function justActed(): Omit<Hold, 'component'> {
  return { reason: 'InProgress', message: 'another pod is being replaced already' };
}
