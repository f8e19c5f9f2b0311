import { beforeAll, expect, test } from '@jest/globals';
import { readManifests } from '../testing/crds.ts';
import { HashClusters, refusal } from '../testing/hash-clusters.ts';
import { until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';

const API = '/apis/admissionregistration.k8s.io/v1';
const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
};
const FOREIGN = { name: 'A', valueFrom: { secretKeyRef: { name: 'bank-key', key: 'k' } } };
const OWN = { name: 'A', valueFrom: { secretKeyRef: { name: 'demo-extra', key: 'k' } } };

withStage('the sample ValidatingAdmissionPolicy', (stage) => {
  let clusters: HashClusters;

  beforeAll(async () => {
    clusters = new HashClusters(stage().transport, 'policy');
    await clusters.makeNamespace();
    for (const body of [...(await readManifests('policies')).values()].flat()) {
      await stage().transport.request({ method: 'POST', path: `${API}/${PLURALS[body.kind]}`, body });
    }
    // The API server needs a moment to take it up.
    const isInForce = async (): Promise<boolean> => {
      const message = await refusal(clusters.create('probe', { ingress: { host: 'a.example.org' } }));
      if (message === null) await clusters.remove('probe');
      return message !== null;
    };
    expect(await until(isInForce)).toBe(true);
  }, 300_000);

  test.each([
    ['an image from elsewhere', { image: 'evil.example/x:1' }, /images must come from registry.example.com/],
    ['a server from elsewhere', { mongodb: { managed: { image: 'mongo:8' } } }, /images must come from/],
    ['a host of somebody else', { ingress: { host: 'bank.example.com' } }, /host must end with/],
    ['a Secret of somebody else', { worker: { env: [FOREIGN] } }, /variables may read only Secrets/],
    ['a store of somebody else', { mongodb: { external: { secretName: 'bank' } } }, /secretName must begin/],
  ])('refuses %s', async (_, spec, because) => {
    expect(await refusal(clusters.create('demo', spec))).toMatch(because);
  });

  test('lets through what it is not about', async () => {
    const spec = {
      image: 'registry.example.com/hashcluster:1',
      ingress: { host: 'demo.apps.example.com' },
      worker: { env: [OWN, { name: 'B', value: 'b' }] },
    };
    expect(await refusal(clusters.create('demo', spec))).toBeNull();
    expect(await refusal(clusters.create('bare'))).toBeNull();
  });
});
