import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import type { WatchedEvent } from '../testing/api-proxy.ts';
import { until, type Scene } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';
import { together } from '../testing/together.ts';
import { BASES, SECRETS, withField } from './spec-changes.ts';

const TEST_MS = 900_000;
/** Lives that are led beside each other, in one namespace and by one operator. */
const PER_SCENE = 30;
const SCENES_AT_ONCE = 3;
/** So soon the operator's caches find out what they have missed. */
const AUDIT_MS = 1_000;
const FEWEST_LOST = 200;

const ON_SERVERS: readonly [string, unknown][] = [['mongodb.managed.placement.priorityClassName', 'high']];
const ON_ROLES: readonly [string, unknown][] = [
  ['imagePullPolicy', 'Always'],
  ['worker.replicas.min', 3],
  ['image', 'example.org/hashcluster:9'],
  ['logging.level', 'debug'],
  ['retention.results', '7d'],
  ['cache.shared', false],
];

/** What a cluster is made as, and what it is changed to, one after the other; then it is deleted. */
const LIVES: readonly (readonly unknown[])[] = [
  [BASES.managed, ...ON_SERVERS.map(([path, value]) => withField(BASES.managed, path, value))],
  [BASES.external, ...ON_ROLES.map(([path, value]) => withField(BASES.external, path, value))],
];

type Objects = Record<string, unknown>;

/** A part of a life: what it leads to, and how many events tell of that where nothing is lost. */
interface Step {
  /** Null: the cluster is deleted, and leads to nothing. */
  readonly spec: unknown;
  readonly leadsTo: Objects;
  readonly events: number;
}

/** A life that loses the same event of every step, counted from the step's beginning. */
interface Life {
  readonly name: string;
  readonly loses: number;
  readonly steps: readonly Step[];
}

/** A step in which an event was lost; `stuck`: the cluster has not become what it should. */
interface Outcome {
  readonly life: string;
  readonly step: number;
  readonly lost: string;
  readonly stuck: boolean;
}

/** Counts the events of each cluster, and loses those that are to be lost. */
class Loss {
  readonly #loses: ReadonlyMap<string, number>;
  readonly #counts = new Map<string, number>();
  readonly #lost = new Map<string, string>();

  constructor(loses: ReadonlyMap<string, number> = new Map()) {
    this.#loses = loses;
  }

  /** From here on events are counted anew. */
  begin(cluster: string): void {
    this.#counts.set(cluster, 0);
    this.#lost.delete(cluster);
  }

  count(cluster: string): number {
    return this.#counts.get(cluster) ?? 0;
  }

  lost(cluster: string): string | null {
    return this.#lost.get(cluster) ?? null;
  }

  readonly keepsEvent = ({ type, object: { kind, metadata } }: WatchedEvent): boolean => {
    const owner = metadata.labels?.['app.kubernetes.io/instance'] ?? '';
    const cluster = kind === 'HashCluster' ? metadata.name : owner;
    const index = this.count(cluster);
    this.#counts.set(cluster, index + 1);
    if (this.#loses.get(cluster) !== index) return true;
    this.#lost.set(cluster, `${type} ${kind} ${metadata.name}`);
    return false;
  };
}

/** Source: Sieve (OSDI 2022), "unobserved states". */
withStage('an operator that misses an event', (stage) => {
  async function open(namespace: string): Promise<Scene> {
    const scene = await stage().scene(namespace);
    for (const name of SECRETS) await scene.makeSecret(name);
    return scene;
  }

  function isGone(scene: Scene, name: string): Promise<boolean> {
    return until(async () => !(await scene.clusters.all()).some(({ metadata }) => metadata.name === name));
  }

  /** Makes the cluster, changes it, or (null) deletes it. */
  async function begin(scene: Scene, name: string, { index, spec }: { index: number; spec: unknown }) {
    if (spec === null) await scene.clusters.remove(name);
    else if (index === 0) await scene.clusters.create(name, spec);
    else await scene.clusters.replace(name, spec);
  }

  /** What there is in a life that nothing disturbs. */
  async function calmLife(specs: readonly unknown[], at: number): Promise<Step[]> {
    const scene = await open(`calm-${at}`);
    const loss = new Loss();
    await scene.operate({ keepsEvent: loss.keepsEvent });
    const steps: Step[] = [];
    for (const [index, spec] of [...specs, null].entries()) {
      loss.begin('demo');
      await begin(scene, 'demo', { index, spec });
      if (spec === null) expect(await isGone(scene, 'demo')).toBe(true);
      const leadsTo = spec === null ? {} : await scene.settled('demo');
      steps.push({ spec, leadsTo, events: loss.count('demo') });
    }
    await scene.end();
    return steps;
  }

  /** Ends where there is nothing more to lose, or where the cluster is stuck. */
  async function live(scene: Scene, loss: Loss, { name, loses, steps }: Life): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const last = steps.findLastIndex(({ events }) => events > loses);
    for (const [index, { spec, leadsTo }] of steps.slice(0, last + 1).entries()) {
      loss.begin(name);
      await begin(scene, name, { index, spec });
      const isThere =
        spec === null
          ? await isGone(scene, name)
          : isDeepStrictEqual(await scene.becomes(name, leadsTo), leadsTo);
      const lost = loss.lost(name);
      if (lost !== null) outcomes.push({ life: name, step: index, lost, stuck: !isThere });
      if (!isThere) break;
    }
    return outcomes;
  }

  async function lead(namespace: string, lives: readonly Life[]): Promise<Outcome[]> {
    const scene = await open(namespace);
    const loss = new Loss(new Map(lives.map(({ name, loses }) => [name, loses])));
    await scene.operate({ keepsEvent: loss.keepsEvent }, { auditMs: AUDIT_MS });
    const outcomes = await Promise.all(lives.map((life) => live(scene, loss, life)));
    await scene.end();
    return outcomes.flat();
  }

  function livesOf(steps: readonly Step[], at: number): Life[] {
    const most = Math.max(...steps.map(({ events }) => events));
    return Array.from({ length: most }, (_, loses) => ({ name: `life-${at}-${loses}`, loses, steps }));
  }

  test(
    'of a cluster, whichever it is, is not stuck, and ends where it would have ended',
    async () => {
      const calm = await Promise.all(LIVES.map(calmLife));
      const lives = calm.flatMap(livesOf);
      const count = Math.ceil(lives.length / PER_SCENE);
      const scenes = Array.from({ length: count }, (_, index) => index);
      const outcomes: Outcome[] = [];
      await together(scenes, SCENES_AT_ONCE, async (index) => {
        const share = lives.filter((_life, at) => at % count === index);
        outcomes.push(...(await lead(`lost-${index}`, share)));
      });
      expect(outcomes.filter(({ stuck }) => stuck)).toEqual([]);
      expect(outcomes.length).toBeGreaterThanOrEqual(FEWEST_LOST);
    },
    TEST_MS,
  );
});
