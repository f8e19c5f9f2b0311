import type { Random } from '../../faults/random.ts';

/** Members that MongoDB can be given. */
export const SIZES = [1, 3, 5] as const;

/** What there is while nothing happens. */
export interface Model {
  /** Members of MongoDB. */
  readonly members: number;
  /** PersistentVolumeClaims: those of the members, and behind them those of members that were removed. */
  readonly claims: number;
}

export type Action =
  | { readonly kind: 'scale'; readonly members: number }
  /** Claims and pods of these members are deleted. */
  | { readonly kind: 'loseVolumes'; readonly ordinals: readonly number[] }
  /** The HashCluster is deleted with the policy Retain, these volumes are lost meanwhile, and it is created again. */
  | { readonly kind: 'recreate'; readonly members: number; readonly ordinals: readonly number[] }
  | { readonly kind: 'killOperator' };

export interface Step {
  readonly action: Action;
  /** The operator's pod is killed while the action is under way. */
  readonly killsOperator: boolean;
}

/** What must hold after a step. */
export interface Expectation {
  /** Which of the jobs that were acknowledged before may be gone, provided that the loss is said. */
  readonly loss: 'none' | 'latest' | 'all';
  /** Reasons that must be said, in a condition or an Event. */
  readonly reasons: readonly string[];
  /** Claims that only a person can give up before the service goes on: the operator must wait for that. */
  readonly abandoned: readonly number[];
}

const NOTHING: Expectation = { loss: 'none', reasons: [], abandoned: [] };

/** One of these by chance; `weight` of each, in any unit. */
function weighted<T>(random: Random, choices: readonly (readonly [weight: number, value: T])[]): T {
  let left = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, value] of choices) {
    left -= weight;
    if (left < 0) return value;
  }
  return choices.at(-1)![1];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** So many of the first `of` ordinals, ascending. */
function drawn(random: Random, count: number, of: number): number[] {
  const left = range(0, of);
  const taken = range(0, count).map(() => left.splice(random.whole(0, left.length - 1), 1)[0]!);
  return taken.sort((a, b) => a - b);
}

/** Mostly so few that nothing may be lost; otherwise a majority, or all. */
function lostCount(random: Random, members: number): number {
  const minority = Math.floor((members - 1) / 2);
  const few = random.whole(1, Math.max(1, minority));
  return weighted(random, [
    [minority > 0 ? 6 : 0, few],
    [members > 1 ? 2 : 0, random.whole(minority + 1, members - 1)],
    [1, members],
  ]);
}

function nextAction(random: Random, { members }: Model): Action {
  const others = SIZES.filter((size) => size !== members);
  const to = random.pick(others);
  const lost = drawn(random, lostCount(random, members), members);
  const few = members > 1 ? drawn(random, random.whole(0, Math.floor((members - 1) / 2)), members) : [];
  return weighted<Action>(random, [
    [4, { kind: 'scale', members: to }],
    [4, { kind: 'loseVolumes', ordinals: lost }],
    [2, { kind: 'recreate', members: random.pick(SIZES), ordinals: few }],
    [1, { kind: 'killOperator' }],
  ]);
}

/** The next step of a walk, drawn from what the model allows. */
export function nextStep(random: Random, model: Model): Step {
  const action = nextAction(random, model);
  return { action, killsOperator: action.kind !== 'killOperator' && random.next() < 0.25 };
}

/** What there is once a step is done and everything has settled. */
export function after({ members, claims }: Model, { action }: Step): Model {
  switch (action.kind) {
    case 'scale':
      return { members: action.members, claims: Math.max(claims, action.members) };
    case 'recreate':
      return { members: action.members, claims: Math.max(claims, action.members) };
    case 'loseVolumes':
      // Those of members that were removed are given up with the data, for they are older.
      return action.ordinals.length === members ? { members, claims: members } : { members, claims };
    case 'killOperator':
      return { members, claims };
  }
}

function ofLost(lost: number, { members, claims }: Model): Expectation {
  if (lost === members)
    return { loss: 'all', reasons: ['ReplicaSetLost'], abandoned: range(members, claims) };
  if (lost * 2 > members) return { loss: 'latest', reasons: ['MajorityLost'], abandoned: [] };
  return { ...NOTHING, reasons: ['VolumeLost', 'VolumeRestored'] };
}

/** What must hold after a step that begins here. */
export function expected(model: Model, { action }: Step): Expectation {
  switch (action.kind) {
    case 'loseVolumes':
      return ofLost(action.ordinals.length, model);
    case 'recreate':
      return { ...NOTHING, reasons: action.members < model.members ? ['StartsFromVolumes'] : [] };
    default:
      return NOTHING;
  }
}

/** A step for people. */
export function describeStep({ action, killsOperator }: Step): string {
  return `${actionSays(action)}${killsOperator ? ', and the operator is killed meanwhile' : ''}`;
}

function actionSays(action: Action): string {
  switch (action.kind) {
    case 'scale':
      return `scale to ${action.members}`;
    case 'loseVolumes':
      return `lose the volumes of ${action.ordinals.join(', ')}`;
    case 'recreate': {
      const lost =
        action.ordinals.length === 0 ? 'no volume' : `the volumes of ${action.ordinals.join(', ')}`;
      return `delete, lose ${lost}, and create again with ${action.members}`;
    }
    case 'killOperator':
      return 'kill the operator';
  }
}

/** The steps of a walk and the models between them, from `start`; one model more than steps. */
export function walk(
  random: Random,
  start: Model,
  count: number,
): { readonly steps: readonly Step[]; readonly models: readonly Model[] } {
  const steps: Step[] = [];
  const models = [start];
  while (steps.length < count) {
    const model = models.at(-1)!;
    const step = nextStep(random, model);
    steps.push(step);
    models.push(after(model, step));
  }
  return { steps, models };
}
