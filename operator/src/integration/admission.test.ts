import { beforeAll, expect, test } from '@jest/globals';
import { CLUSTER_SPEC } from '../api/spec.ts';
import { readManifests } from '../testing/crds.ts';
import { HashClusters, refusal } from '../testing/hash-clusters.ts';
import { withStage } from '../testing/suites.ts';
import { BAD_CHANGES, BAD_SPECS } from './bad-specs.ts';

withStage('what the API server takes', (stage) => {
  let clusters: HashClusters;

  beforeAll(async () => {
    clusters = new HashClusters(stage().transport, 'admission');
    await clusters.makeNamespace();
  });

  test('every sample is taken as it is, and filled up with the same defaults that the types have', async () => {
    for (const [file, [sample]] of await readManifests('samples')) {
      const name = file.replace('.yaml', '');
      const { spec } = await clusters.create(name, sample!['spec']);
      expect({ file, spec }).toEqual({ file, spec: CLUSTER_SPEC.parse(sample!['spec'] ?? {}) });
    }
  });

  test('a cluster of which nothing was said can be written back as it was read', async () => {
    const { spec } = await clusters.create('bare');
    expect(await refusal(clusters.replace('bare', spec))).toBeNull();
  });

  test.each(BAD_SPECS)('refuses $says', async ({ says, spec, because }) => {
    const message = await refusal(clusters.create('bad', spec));
    if (message === null) await clusters.remove('bad');
    expect({ says, message }).toEqual({ says, message: expect.stringMatching(because) });
  });

  test.each(BAD_CHANGES)(
    'refuses to change a cluster to $says, and leaves it as it was',
    async ({ from, to, because }) => {
      const before = await clusters.create('good', from);
      const message = await refusal(clusters.replace('good', to));
      const after = await clusters.get('good');
      await clusters.remove('good');
      expect(message).toMatch(because);
      expect(after.spec).toEqual(before.spec);
    },
  );

  test.each(['Upper', 'a'.repeat(41), '9lives', 'ends-', 'with.dot'])('refuses the name %p', async (name) => {
    expect(await refusal(clusters.create(name, {}))).toMatch(/metadata\.name/);
  });

  test('there are at least 60 ways of going wrong', () => {
    expect(BAD_SPECS.length + BAD_CHANGES.length).toBeGreaterThanOrEqual(60);
  });
});
