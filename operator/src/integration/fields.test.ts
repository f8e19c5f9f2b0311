import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { together, type Scene } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';
import { CHANGES, changed, SECRETS, unchanged, type SpecChange } from './spec-changes.ts';

const AT_ONCE = 12;
const TEST_MS = 900_000;

type Objects = Record<string, unknown>;

/** Source: Acto (SOSP 2023): every change is carried out, and taken back, by what the operator does. */
withStage('every field of the spec', (stage) => {
  /** Without the HashCluster itself: what its spec has led to. */
  function children({ 'HashCluster/CLUSTER': _self, ...rest }: Objects): Objects {
    return rest;
  }

  function differingIn(before: Objects, after: Objects): unknown {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const differing = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
    return differing.map((name) => ({ name, before: before[name], after: after[name] }));
  }

  async function changedAndBack(scene: Scene, name: string, change: SpecChange) {
    await scene.clusters.create(name, unchanged(change));
    const before = await scene.settled(name);
    await scene.clusters.replace(name, changed(change));
    const during = await scene.followed(name);
    await scene.clusters.replace(name, unchanged(change));
    const after = await scene.becomes(name, before);
    await scene.clusters.remove(name);
    return { before, during, after };
  }

  test(
    'can be changed and changed back, and the cluster is what it would be without',
    async () => {
      const scene = await stage().scene('fields');
      for (const name of SECRETS) await scene.makeSecret(name);
      await scene.operate();
      const numbered = CHANGES.map((change, index) => ({ change, name: `field-${index}` }));
      const notBack: unknown[] = [];
      const written: string[] = [];
      await together(numbered, AT_ONCE, async ({ change, name }) => {
        const { path } = change;
        const { before, during, after } = await changedAndBack(scene, name, change);
        if (!isDeepStrictEqual(after, before)) notBack.push({ path, differs: differingIn(before, after) });
        if (!isDeepStrictEqual(children(during), children(before))) written.push(path);
      });
      expect(notBack).toEqual([]);
      // A field that is written on no object would be one that is ignored.
      const behaviors = CHANGES.filter(({ isBehavior }) => isBehavior).map(({ path }) => path);
      const all = CHANGES.map(({ path }) => path);
      expect(all.filter((path) => !written.includes(path)).toSorted()).toEqual(behaviors.toSorted());
    },
    TEST_MS,
  );
});
