import type { Asked, Attempt, Final, Shown, State, Stored } from './history.ts';

/** What the checker looks at: all of a history, and what is there at the end. */
export interface Evidence {
  readonly asked: ReadonlyMap<string, Asked>;
  readonly attempts: readonly Attempt[];
  readonly shown: readonly Shown[];
  readonly stored: readonly Stored[];
  /** All that is in the store at the end, after the drain. */
  readonly final: readonly Final[];
  /** What earlier runs on the same store have asked for, as `jobKey` writes it. */
  readonly askedBefore: ReadonlySet<string>;
  /** When the fault began, by the clock of the attempts; null: there was none. */
  readonly faultAt: number | null;
  /** Signs that a worker which had lost its jobs wrote all the same: what it says of itself. */
  readonly lateWrites: number;
}

/** How much must have happened for the run to say anything. */
export interface Demands {
  /** Jobs acknowledged in all, and before the fault; and per second before the fault. */
  readonly acknowledged: number;
  readonly acknowledgedBefore: number;
  readonly ratePerSecond: number;
  readonly lateWrites: number;
}

export type Rule =
  | 'lost'
  | 'undrained'
  | 'wrong'
  | 'forked'
  | 'unasked'
  | 'doubled'
  | 'reverted'
  | 'fell'
  | 'cancelled'
  | 'vacuous'
  | 'unseen';

export interface Violation {
  readonly rule: Rule;
  readonly what: string;
}

/** A job by what it is: how stored and asked ones are compared, without trusting ids. */
export function jobKey({
  chain,
  iterations,
}: {
  readonly chain: string;
  readonly iterations: number;
}): string {
  return `${chain}×${iterations}`;
}

/** All that is wrong. Nothing: the run is clean. */
export function check(evidence: Evidence, demands: Demands): Violation[] {
  const index = indexOf(evidence);
  return [
    ...lost(index),
    ...undrained(evidence, index),
    ...wrong(evidence, index),
    ...forked(evidence),
    ...unasked(evidence),
    ...doubled(evidence, index),
    ...reverted(evidence, index),
    ...fell(evidence, index),
    ...unseen(evidence, demands),
    ...vacuous(evidence, index, demands),
  ];
}

interface Acknowledgement {
  readonly id: string;
  readonly at: number;
}

interface Index {
  /** First acknowledgement of each job, by name. */
  readonly acknowledged: ReadonlyMap<string, Acknowledgement>;
  readonly nameOf: ReadonlyMap<string, string>;
  /** Names of jobs that somebody tried to cancel: they may end either way. */
  readonly cancels: ReadonlySet<string>;
  readonly final: ReadonlyMap<string, Final>;
}

function indexOf({ attempts, final }: Evidence): Index {
  const acknowledged = new Map<string, Acknowledgement>();
  const nameOf = new Map<string, string>();
  const cancels = new Set<string>();
  for (const { form, job, outcome, to } of attempts) {
    if (form === 'cancel') cancels.add(job);
    else if (outcome.kind === 'acknowledged') {
      if (!acknowledged.has(job)) acknowledged.set(job, { id: outcome.id, at: to });
      nameOf.set(outcome.id, job);
    }
  }
  return { acknowledged, nameOf, cancels, final: new Map(final.map((job) => [job.id, job])) };
}

/** Every acknowledged job is done, or was cancelled by somebody. */
function lost({ acknowledged, cancels, final }: Index): Violation[] {
  return [...acknowledged].flatMap(([name, { id }]) => {
    const state = final.get(id)?.state ?? 'gone';
    const fine = state === 'done' || (cancels.has(name) && state === 'cancelled');
    return fine ? [] : [{ rule: 'lost', what: `${name} (${id}) was acknowledged and is ${state}` }];
  });
}

/** Whatever was asked for has ended when the drain is over, acknowledged or not. */
function undrained({ final }: Evidence, { nameOf }: Index): Violation[] {
  const live: readonly State[] = ['queued', 'running'];
  return final
    .filter(({ state }) => live.includes(state))
    .map(({ id, state }) => ({
      rule: 'undrained',
      what: `${nameOf.get(id) ?? 'a job'} (${id}) is ${state}`,
    }));
}

/** Whoever says a digest, says the right one. */
function wrong({ asked, attempts, shown, final }: Evidence, { nameOf }: Index): Violation[] {
  const answers = new Map([...asked.values()].map((job) => [jobKey(keyed(job)), job.answer]));
  const said: { id: string; digest: string; where: string }[] = [];
  for (const { outcome, endpoint } of attempts)
    if (outcome.kind === 'acknowledged' && outcome.digest !== null)
      said.push({ id: outcome.id, digest: outcome.digest, where: endpoint });
  for (const { id, digest, endpoint } of shown)
    if (digest !== null) said.push({ id, digest, where: endpoint });
  const ofClients = said.flatMap(({ id, digest, where }): Violation[] => {
    const right = asked.get(nameOf.get(id) ?? '')?.answer;
    return right === undefined || right === digest
      ? []
      : [{ rule: 'wrong', what: `${where} said ${digest} of ${id}` }];
  });
  const ofStore = final.flatMap((job): Violation[] => {
    const right = answers.get(jobKey(job));
    if (job.state !== 'done' || right === undefined || right === job.digest) return [];
    return [{ rule: 'wrong', what: `${job.id} is stored with ${String(job.digest)}` }];
  });
  return [...ofClients, ...ofStore];
}

/** A position of a chain has one digest, whoever computes it. */
function forked({ stored }: Evidence): Violation[] {
  const known = new Map<string, string>();
  return stored.flatMap(({ id, chain, position, digest }): Violation[] => {
    const place = `${chain}@${position}`;
    const before = known.get(place) ?? digest;
    known.set(place, before);
    return before === digest
      ? []
      : [{ rule: 'forked', what: `${id} had two digests at position ${position}` }];
  });
}

/** Nothing is stored that nobody asked for. */
function unasked({ asked, askedBefore, final }: Evidence): Violation[] {
  const wanted = new Set([...asked.values()].map((job) => jobKey(keyed(job))));
  return final
    .filter((job) => !wanted.has(jobKey(job)) && !askedBefore.has(jobKey(job)))
    .map(({ id, iterations }) => ({ rule: 'unasked', what: `${id} of ${iterations} iterations` }));
}

/** Equal submissions have equal ids, and different ones different ids; in the answers and in the store. */
function doubled({ asked, attempts, final }: Evidence, { nameOf }: Index): Violation[] {
  const idOf = new Map<string, string>();
  const violations: Violation[] = [];
  const see = (name: string, id: string): void => {
    const before = idOf.get(name) ?? id;
    idOf.set(name, before);
    if (before !== id) violations.push({ rule: 'doubled', what: `${name} has the ids ${before} and ${id}` });
    const other = nameOf.get(id) ?? name;
    if (other !== name) violations.push({ rule: 'doubled', what: `${id} is ${name} and ${other}` });
  };
  for (const { form, job, outcome } of attempts)
    if (form !== 'cancel' && outcome.kind === 'acknowledged') see(job, outcome.id);
  const names = new Map([...asked.values()].map((job) => [jobKey(keyed(job)), job.name]));
  for (const job of final) {
    const name = names.get(jobKey(job));
    if (name !== undefined) see(name, job.id);
  }
  return violations;
}

/** Who has seen a job done never sees it otherwise again: neither in what began after that, nor at the end. */
function reverted({ attempts, shown, final }: Evidence, { nameOf }: Index): Violation[] {
  const sights: { id: string; from: number; to: number; state: State; where: string }[] = [...shown].map(
    ({ id, from, to, state, endpoint }) => ({ id, from, to, state, where: endpoint }),
  );
  for (const { outcome, from, to, endpoint } of attempts)
    if (outcome.kind === 'acknowledged')
      sights.push({ id: outcome.id, from, to, state: outcome.state, where: endpoint });
  const doneAt = new Map<string, number>();
  for (const { id, to, state } of sights)
    if (state === 'done') doneAt.set(id, Math.min(to, doneAt.get(id) ?? Infinity));
  const later = sights
    .filter(({ id, from, state }) => state !== 'done' && from >= (doneAt.get(id) ?? Infinity))
    .map(({ id, state, where }) => ({ id, what: `was done and then ${state} at ${where}` }));
  const atEnd = final
    .filter(({ id, state }) => state !== 'done' && doneAt.has(id))
    .map(({ id, state }) => ({ id, what: `was done and is ${state} at the end` }));
  return [...later, ...atEnd].map(({ id, what }) => ({
    rule: 'reverted',
    what: `${nameOf.get(id) ?? 'a job'} (${id}) ${what}`,
  }));
}

/** The stored position of a live job never falls; only one that was cancelled may begin anew. */
function fell({ stored }: Evidence, { nameOf, cancels }: Index): Violation[] {
  const reached = new Map<string, number>();
  return stored.flatMap(({ id, position }): Violation[] => {
    const before = reached.get(id) ?? 0;
    reached.set(id, Math.max(before, position));
    if (position >= before || cancels.has(nameOf.get(id) ?? '')) return [];
    return [{ rule: 'fell', what: `${id} fell from ${before} to ${position}` }];
  });
}

/** What the fault was made for has been seen to happen. */
function unseen({ lateWrites }: Evidence, demands: Demands): Violation[] {
  if (lateWrites >= demands.lateWrites) return [];
  return [{ rule: 'unseen', what: `${lateWrites} late writes, ${demands.lateWrites} were to be seen` }];
}

/** A fault in an idle system shows nothing. Source: etcd's robustness tests, which fail below a minimal rate. */
function vacuous({ attempts, faultAt }: Evidence, { acknowledged }: Index, demands: Demands): Violation[] {
  const all = [...acknowledged.values()];
  const violations: Violation[] = [];
  const demand = (what: string, is: number, least: number): void => {
    if (is < least)
      violations.push({ rule: 'vacuous', what: `${what}: ${is.toFixed(1)}, at least ${least} were to be` });
  };
  demand('jobs acknowledged', all.length, demands.acknowledged);
  if (faultAt === null) return violations;
  const before = all.filter(({ at }) => at <= faultAt).length;
  const began = attempts.reduce((least, { from }) => Math.min(least, from), faultAt);
  demand('jobs acknowledged before the fault', before, demands.acknowledgedBefore);
  demand(
    'jobs acknowledged per second before the fault',
    (before * 1_000) / Math.max(1, faultAt - began),
    demands.ratePerSecond,
  );
  return violations;
}

function keyed({ chain, body }: Asked): { chain: string; iterations: number } {
  return { chain, iterations: body.iterations };
}
