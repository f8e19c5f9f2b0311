import { setTimeout as pause } from 'node:timers/promises';
import type { TestCluster } from './hash-cluster.ts';
import { find, underLoad, type Load, type Tally } from './load.ts';
import { askMembers, inService, setsOf } from './members.ts';
import { replicaSetOf } from './mongo.ts';
import { failingSpans, readyWhileFailing, type FailingSpan } from './operator-log.ts';
import { OPERATOR_HOME } from './operator.ts';
import { follow } from './runbook.ts';
import { StatusWatch } from './status-watch.ts';
import { begin, killOperator, meanwhile, operatorLogs } from './steps.ts';
import { after, expected, type Expectation, type Model, type Step } from './walk.ts';

type Jobs = Tally['acknowledged'];

const PER_SECOND = 5;
/** Jobs that must be acknowledged before a step, and again after it. */
const SOME_JOBS = 10;
/** Of the jobs of earlier steps so many are looked at after each step; all of them where some may be gone. */
const SAMPLE = 40;
const AUDIT = { samples: 10, limitMs: 240_000 };
const WITHIN_S = 420;
/** How often the members are asked which set they are in, in milliseconds. */
const ASK_MS = 10_000;
/** An action that fails is to be in the status after 30 s; so much later it must be read here, in milliseconds. */
const SAID_AFTER_MS = 40_000;

/** What became of a step. */
export interface StepReport {
  readonly problems: readonly string[];
  readonly says: string;
}

/** Takes one HashCluster from step to step, under load, and checks after each what must hold. */
export class Walker {
  readonly #cluster: TestCluster;
  readonly #watch: StatusWatch;
  /** Acknowledged in earlier steps, and not known to be gone. */
  readonly #jobs = new Map<string, { readonly data: string; readonly iterations: number }>();
  readonly #followed = new Set<string>();
  #logs: string[] = [];

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#watch = new StatusWatch(cluster.namespace);
  }

  /** Pages of the runbook whose diagnosis was followed. */
  get followed(): readonly string[] {
    return [...this.#followed];
  }

  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  /** @param name part of the data of its jobs: no other step has it */
  async step(name: string, step: Step, model: Model): Promise<StepReport> {
    const began = Date.now();
    this.#logs = [];
    const expectation = expected(model, step);
    const set = (await replicaSetOf(this.#cluster)).id;
    const asked = this.#askAgainAndAgain();
    const tally = await underLoad(
      this.#cluster.host,
      PER_SECOND,
      async (load) => {
        await this.#more(load);
        await this.#perform(step, model);
        await this.#settles(began, after(model, step), expectation);
        await this.#more(load);
      },
      `${name} `,
    ).finally(() => asked.stop());
    const { gone, wrong } = await this.#audit(tally, expectation);
    const { spans, problems: unsaid } = await this.failing(began);
    const problems = [
      ...wrong,
      ...(expectation.loss === 'none' && gone.length > 0
        ? [`${gone.length} jobs are gone: ${gone[0]!}`]
        : []),
      ...asked.problems,
      ...(await this.#setProblems(expectation.loss === 'all' ? null : set)),
      ...unsaid,
    ];
    await this.#acknowledge(expectation);
    return { problems, says: summary({ began, tally, gone, spans }) };
  }

  async #more(load: Load): Promise<void> {
    const before = load.acknowledged;
    const holds = () => Promise.resolve(load.acknowledged >= before + SOME_JOBS);
    await this.#cluster.until('serving', holds, WITHIN_S);
  }

  async #perform({ action, killsOperator }: Step, model: Model): Promise<void> {
    const kills = action.kind === 'killOperator' || killsOperator;
    const done = begin(this.#cluster, action, model);
    await Promise.all([done, ...(kills ? [meanwhile().then(() => this.#kill())] : [])]);
    if (!kills) return;
    const wait = ['rollout', 'status', 'deployment/hashcluster-operator', '--timeout=240s'];
    await OPERATOR_HOME.kubectl(wait, { limitMs: 250_000 });
  }

  /** What the operator's log has told so far would be gone with its pod. */
  async #kill(): Promise<void> {
    this.#logs.push(...(await operatorLogs(Date.now() - 600_000)));
    await killOperator();
  }

  async #settles(began: number, { members }: Model, { reasons, abandoned }: Expectation): Promise<void> {
    const cluster = this.#cluster;
    if (abandoned.length > 0) await this.#giveUp(began, abandoned);
    for (const reason of reasons) {
      const said = () => this.#isSaid(reason, began);
      await cluster.until(`saying ${reason}`, said, WITHIN_S);
      await this.follow(reason);
    }
    await cluster.until(`one of ${members} members`, () => this.#isWhole(members), WITHIN_S);
    await cluster.ready(WITHIN_S);
  }

  /** Says that the data of these claims is not wanted, as the runbook has it. */
  async #giveUp(began: number, ordinals: readonly number[]): Promise<void> {
    await this.#cluster.until('missing data', () => this.#isSaid('DataMissing', began), WITHIN_S);
    await this.follow('DataMissing');
    for (const ordinal of ordinals)
      await follow(this.#cluster, ['DataMissing', 'Mitigation'], {
        ...{ names: { ORDINAL: String(ordinal) }, only: 'delete pvc' },
      });
  }

  async #isSaid(reason: string, since: number): Promise<boolean> {
    if (this.#watch.reasonsSince(since).has(reason)) return true;
    const events = await this.#cluster.namespace.list('events.v1.events.k8s.io');
    return (events as unknown as readonly KubeEvent[]).some(
      (event) =>
        event.reason === reason &&
        Date.parse(event.series?.lastObservedTime ?? event.eventTime ?? '') >= since,
    );
  }

  /** As many pods as that, and no volume that has lost its data and not been given it again. */
  async #isWhole(members: number): Promise<boolean> {
    const { volumes = [] } = await replicaSetOf(this.#cluster);
    if (volumes.length !== members || volumes.some(({ lostAt }) => lostAt !== undefined)) return false;
    return (await this.#cluster.pods('mongodb')).length === members;
  }

  /** Follows the diagnosis of a reason, once. */
  async follow(reason: string): Promise<void> {
    if (this.#followed.has(reason)) return;
    await follow(this.#cluster, [reason, 'Diagnosis']);
    this.#followed.add(reason);
  }

  /** Looks for the jobs of this step and for earlier ones, and keeps those that are there. */
  async #audit(tally: Tally, { loss }: Expectation): Promise<{ gone: string[]; wrong: string[] }> {
    const earlier = loss === 'none' ? sampled(this.#jobs, SAMPLE) : this.#jobs;
    const acknowledged = new Map([...earlier, ...tally.acknowledged]);
    const found = await find(this.#cluster.host, { acknowledged }, AUDIT);
    for (const [id, job] of tally.acknowledged) this.#jobs.set(id, job);
    for (const id of found.gone) this.#jobs.delete(id);
    return found;
  }

  /** What is wrong with all jobs that were acknowledged and are not known to be gone. */
  async lost(): Promise<string[]> {
    const { gone, wrong } = await find(this.#cluster.host, { acknowledged: this.#jobs }, AUDIT);
    return [...gone.map((id) => `${id} is gone`), ...wrong];
  }

  /** Actions of the operator that have failed since a moment, and where the status said nothing of it. */
  async failing(began: number): Promise<{ readonly spans: FailingSpan[]; readonly problems: string[] }> {
    const logs = [...this.#logs, ...(await operatorLogs(began))];
    const { name, namespace } = this.#cluster;
    const spans = logs.flatMap((log) => failingSpans(log, `${namespace.name}/${name}`));
    return { spans, problems: readyWhileFailing(this.#watch.said, spans, SAID_AFTER_MS) };
  }

  async #setProblems(before: string | null | undefined): Promise<string[]> {
    const sets = setsOf(await askMembers(this.#cluster));
    if (sets.length !== 1) return [`Ready members are in ${sets.length} replica sets: ${sets.join(', ')}`];
    return before && before !== sets[0] ? [`The replica set was ${before}, and is ${sets[0]!}`] : [];
  }

  /** Asks the members now and then whether more than one set accepts writes. */
  #askAgainAndAgain(): { readonly problems: string[]; stop(): Promise<void> } {
    const problems: string[] = [];
    const ending = new AbortController();
    const asking = (async () => {
      while (!ending.signal.aborted) {
        // Members that come or go, or an operator that does: it is asked again soon, and in any case at the end.
        const sets = await askMembers(this.#cluster).then(inService, () => []);
        if (sets.length > 1) problems.push(`In service at the same time: ${sets.join(', ')}`);
        await pause(ASK_MS, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    })();
    const stop = (): Promise<void> => {
      ending.abort();
      return asking;
    };
    return { problems, stop };
  }

  /** Says that a loss is known, as the runbook has it: the next one is told by itself then. */
  async #acknowledge({ loss }: Expectation): Promise<void> {
    if (loss === 'none') return;
    const last = (await replicaSetOf(this.#cluster)).dataLost?.at(-1);
    if (!last) return;
    const options = { names: { TIME: last.at }, only: 'data-loss-acknowledged' };
    await follow(this.#cluster, [last.reason, 'Mitigation'], options);
    const isForgotten = async () => (await replicaSetOf(this.#cluster)).dataLost === undefined;
    await this.#cluster.until('acknowledged', isForgotten, 120);
  }
}

interface KubeEvent {
  readonly reason?: string;
  readonly eventTime?: string;
  readonly series?: { readonly lastObservedTime?: string };
}

/** So many of these, evenly spread. */
function sampled(jobs: Jobs, count: number): Jobs {
  const every = Math.max(1, Math.ceil(jobs.size / count));
  return new Map([...jobs].filter((_, index) => index % every === 0));
}

interface Done {
  readonly began: number;
  readonly tally: Tally;
  readonly gone: readonly string[];
  readonly spans: readonly FailingSpan[];
}

function summary({ began, tally: { acknowledged, refused, failures }, gone, spans }: Done): string {
  const seconds = Math.round((Date.now() - began) / 1_000);
  const failing = spans.map(({ ref, from, to }) => `${ref} failed for ${Math.round((to - from) / 1_000)} s`);
  return [
    `${seconds} s: ${acknowledged.size} acknowledged, ${gone.length} gone`,
    `${refused} refused, ${failures.length} failed`,
    ...new Set(failing),
  ].join(', ');
}
