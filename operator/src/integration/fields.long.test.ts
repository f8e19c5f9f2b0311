import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import type { Scene } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';
import { together } from '../testing/together.ts';
import { CHANGES, changed, SECRETS, unchanged, type SpecChange } from './spec-changes.ts';

/** Changes that are made on one cluster, one after the other. */
const PER_CLUSTER = { external: 10, managed: 4 };
const TEST_MS = 900_000;

type Objects = Record<string, unknown>;

/** A cluster, and what is changed of it. All changes begin with the same spec. */
interface Lane {
  readonly name: string;
  readonly changes: readonly SpecChange[];
}

/** What has become of a change. */
interface Outcome {
  readonly path: string;
  /** Whether it is written on any object. */
  readonly isWritten: boolean;
  /** Where the cluster is not what it was, after the change was taken back. */
  readonly remains: readonly unknown[];
}

/** Source: Acto (SOSP 2023): every change is carried out, and taken back, by what the operator does. */
withStage('every field of the spec', (stage) => {
  function lanes(): Lane[] {
    const alike = Map.groupBy(CHANGES, (change) => JSON.stringify(unchanged(change)));
    const shares = [...alike.values()].flatMap((changes) => {
      const size = PER_CLUSTER[changes[0]!.base ?? 'external'];
      const count = Math.ceil(changes.length / size);
      // What takes long stands together, and is dealt out.
      return Array.from({ length: count }, (_, lane) => changes.filter((_change, at) => at % count === lane));
    });
    return shares.map((changes, index) => ({ name: `lane-${index}`, changes }));
  }

  /** Without the HashCluster itself: what its spec has led to. */
  function children({ 'HashCluster/CLUSTER': _self, ...rest }: Objects): Objects {
    return rest;
  }

  function differingIn(before: Objects, after: Objects): unknown[] {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const differing = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
    return differing.map((name) => ({ name, before: before[name], after: after[name] }));
  }

  /** Ends with the first change that cannot be taken back: what comes after it would prove nothing. */
  async function changedAndBack(scene: Scene, { name, changes }: Lane): Promise<Outcome[]> {
    await scene.clusters.create(name, unchanged(changes[0]!));
    const fresh = await scene.settled(name);
    const outcomes: Outcome[] = [];
    for (const change of changes) {
      await scene.clusters.replace(name, changed(change));
      const isWritten = !isDeepStrictEqual(children(await scene.followed(name)), children(fresh));
      await scene.clusters.replace(name, unchanged(change));
      const remains = differingIn(fresh, await scene.becomes(name, fresh));
      outcomes.push({ path: change.path, isWritten, remains });
      if (remains.length > 0) break;
    }
    return outcomes;
  }

  test(
    'can be changed and changed back, and the cluster is as one that is new',
    async () => {
      const scene = await stage().scene('fields');
      for (const name of SECRETS) await scene.makeSecret(name);
      await scene.operate();
      const all = lanes();
      const outcomes: Outcome[] = [];
      await together(all, all.length, async (lane) => {
        outcomes.push(...(await changedAndBack(scene, lane)));
      });
      expect(outcomes.filter(({ remains }) => remains.length > 0)).toEqual([]);
      expect(outcomes).toHaveLength(CHANGES.length);
      // A field that is written on no object would be one that is ignored.
      const behaviors = CHANGES.filter(({ isBehavior }) => isBehavior).map(({ path }) => path);
      const unwritten = outcomes.filter(({ isWritten }) => !isWritten).map(({ path }) => path);
      expect(unwritten.toSorted()).toEqual(behaviors.toSorted());
    },
    TEST_MS,
  );
});
