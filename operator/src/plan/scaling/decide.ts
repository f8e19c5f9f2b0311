import type { Limit, RoleDecision } from './decision.ts';
import { changeSince, recommendedSince } from './history.ts';
import { lowerLimit, upperLimit, type Pace } from './policies.ts';
import type { KnownSignal, RoleView, Signal } from './signal.ts';

/** What a decision is made from. */
export interface Question {
  readonly view: RoleView;
  readonly signals: readonly Signal[];
  /** Why fewer pods cannot be decided on yet: an earlier decision, or a new version, is still on its way. Null: they can. */
  readonly unsettled: string | null;
}

/** A step on the way from what is wanted to what is done. */
interface Step {
  readonly replicas: number;
  readonly limited: Limit | null;
}

/**
 * How many replicas a role should have. The largest answer of all signals counts; with one of them unknown there is no
 * scale-down. Then windows, pauses and policies slow the change down, as in autoscaling/v2. Bounds hold whatever else.
 */
export function decide(question: Question): RoleDecision {
  const { view, signals } = question;
  const { role, current, spec } = view;
  const { min, max } = spec.replicas;
  const strongest = strongestOf(signals);
  const asked = askedFor(question, strongest);
  const wanted = clamp(asked, min, max);
  const base = { role, current, wanted, signals };
  if (current < min || current > max) {
    const replicas = clamp(current, min, max);
    const why = current < min ? `below replicas.min (${min})` : `above replicas.max (${max})`;
    return { ...base, replicas, limited: null, why };
  }
  const { replicas, limited } = [slowed, unpaused, paced].reduce<Step>(
    (step, limit) => limit(step, question),
    { replicas: wanted, limited: null },
  );
  const what = strongest ? strongest.says : 'no signal is known';
  const because = limited && replicas !== wanted ? ` (${wanted} wanted: ${limited.message})` : '';
  return {
    ...{ ...base, replicas, why: `${what} → ${replicas}${because}` },
    limited: min === max ? null : limitOf({ replicas, limited }, { asked, max, signals }),
  };
}

/** The signal that asks for the most; null: none is known. */
export function strongestOf(signals: readonly Signal[]): KnownSignal | null {
  return signals.reduce<KnownSignal | null>(
    (best, next) => (next.known && (best === null || next.replicas > best.replicas) ? next : best),
    null,
  );
}

function askedFor({ view, signals }: Question, strongest: KnownSignal | null): number {
  const isWhole = strongest !== null && signals.every(({ known }) => known);
  return isWhole ? strongest.replicas : Math.max(view.current, strongest?.replicas ?? 0);
}

/** Stabilization: the most cautious of what was wanted within the window of each direction. */
function slowed(step: Step, { view }: Question): Step {
  const { role, current, observed, spec } = view;
  const { scaleUp, scaleDown } = spec.scaling.behavior;
  const within = (seconds: number) => recommendedSince(observed.ledger, role, observed.now - seconds * 1000);
  const low = Math.min(step.replicas, ...within(scaleUp.stabilizationWindowSeconds));
  const high = Math.max(step.replicas, ...within(scaleDown.stabilizationWindowSeconds));
  const replicas = clamp(Math.min(Math.max(current, low), high), spec.replicas.min, spec.replicas.max);
  if (replicas === step.replicas) return step;
  const isUp = step.replicas > current;
  const seconds = (isUp ? scaleUp : scaleDown).stabilizationWindowSeconds;
  const message = `${isUp ? 'fewer were' : 'more were'} wanted within the last ${seconds} s`;
  return { replicas, limited: { reason: isUp ? 'ScaleUpStabilized' : 'ScaleDownStabilized', message } };
}

/** Pauses, and what has to settle first. */
function unpaused(step: Step, { view, unsettled }: Question): Step {
  const { current, spec } = view;
  const { paused } = spec.scaling;
  const stay = (limited: Limit): Step => ({ replicas: current, limited });
  if (step.replicas > current && (paused === 'Out' || paused === 'Both')) {
    return stay({ reason: 'PausedOut', message: `scaling out is paused (scaling.paused: ${paused})` });
  }
  if (step.replicas >= current) return step;
  if (paused === 'In' || paused === 'Both') {
    return stay({ reason: 'PausedIn', message: `scaling in is paused (scaling.paused: ${paused})` });
  }
  return unsettled === null ? step : stay({ reason: 'Settling', message: unsettled });
}

/** The policies of the direction. */
function paced(step: Step, { view }: Question): Step {
  const { current, spec } = view;
  const { scaleUp, scaleDown } = spec.scaling.behavior;
  const pace = paceOf(view);
  const highest = upperLimit(scaleUp, pace);
  const lowest = lowerLimit(scaleDown, pace);
  const replicas = clamp(step.replicas, lowest, highest);
  if (replicas === step.replicas) return step;
  const isUp = step.replicas > current;
  const { selectPolicy } = isUp ? scaleUp : scaleDown;
  const message =
    selectPolicy === 'Disabled' ? 'this direction is disabled' : 'the policies allow no more now';
  return { replicas, limited: { reason: isUp ? 'ScaleUpLimit' : 'ScaleDownLimit', message } };
}

function paceOf({ role, current, observed }: RoleView): Pace {
  const { ledger, now } = observed;
  return { current, changed: (seconds) => changeSince(ledger, role, now - seconds * 1000) };
}

function atMaximum(asked: number, max: number): Limit {
  return { reason: 'AtMaximum', message: `${asked} are wanted, and ${max} is the maximum` };
}

/** What keeps a role from what its signals ask for. With equal bounds nothing is asked. */
function limitOf(
  { replicas, limited }: Step,
  {
    asked,
    max,
    signals,
  }: { readonly asked: number; readonly max: number; readonly signals: readonly Signal[] },
): Limit | null {
  return replicas === max && asked > max ? atMaximum(asked, max) : (limited ?? unknownLimit(signals));
}

/** What is unknown is told even while nothing would shrink. */
function unknownLimit(signals: readonly Signal[]): Limit | null {
  const unknown = signals.filter(({ known }) => !known).map(({ says }) => says);
  if (unknown.length === 0) return null;
  return { reason: 'SignalUnknown', message: `no scale-down: ${[...new Set(unknown)].join('; ')}` };
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
