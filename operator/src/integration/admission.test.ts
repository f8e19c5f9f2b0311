import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CLUSTER_SPEC } from '../api/spec.ts';
import { Transport } from '../control/transport.ts';
import { startApiServer, type ApiServer } from '../testing/api-server.ts';
import { installCrds, readManifests } from '../testing/crds.ts';
import { HashClusters, refusal } from '../testing/hash-clusters.ts';
import { findApiServer } from '../testing/settings.ts';
import { BAD_CHANGES, BAD_SPECS } from './bad-specs.ts';

const programs = findApiServer();

function withApiServer(title: string, tests: () => void): void {
  if (programs) describe(title, tests);
  else test.skip(`${title} (needs kube-apiserver and etcd)`, () => undefined);
}

withApiServer('what the API server takes', () => {
  let server: ApiServer;
  let transport: Transport;
  let clusters: HashClusters;

  beforeAll(async () => {
    server = await startApiServer(programs!);
    transport = new Transport({ config: server.config, perSecond: 1_000, burst: 1_000 });
    await installCrds(transport);
    clusters = new HashClusters(transport, 'admission');
    await clusters.makeNamespace();
  }, 180_000);

  afterAll(async () => {
    await transport.stop();
    await server.stop();
  }, 60_000);

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
