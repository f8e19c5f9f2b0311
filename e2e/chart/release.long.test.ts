import { afterAll, beforeAll, describe, expect, test as always } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { earlierChart } from '../kind/lib/operator.ts';
import { Home } from './home.ts';
import { CHART, findTool, hasApi, startApi, type Api, type Outcome } from './tools.ts';

const START_MS = 120_000;
const LIMIT_MS = 180_000;
/** What the earlier CRD does not know yet. */
const NEW_FIELD = 'healing';
/** What a release consists of, but the CRD. */
const KINDS =
  'deployments,services,serviceaccounts,networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings';
const CRD = 'customresourcedefinition/hashclusters.hashcluster.io';

function done({ code, output }: Outcome): string {
  expect(code === 0 ? '' : output).toBe('');
  return output;
}

const programs = { helm: findTool('helm', 'version'), helm3: findTool('helm3', 'version') } as const;
const everywhere = findTool('kubectl', '--help') !== null && hasApi() ? describe : describe.skip;

everywhere('on a Kubernetes API server', () => {
  let api: Api;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hashcluster-earlier-'));
    api = await startApi();
  }, START_MS);
  afterAll(async () => {
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  }, START_MS);

  describe.each([['helm', 'helm'] as const, ['helm3', 'helm3'] as const, ['helm3', 'helm'] as const])(
    'a release that %s installs and %s upgrades (needs both, kubectl, kube-apiserver and etcd)',
    (first, second) => {
      const test = programs[first] !== null && programs[second] !== null ? always : always.skip;
      const [before, after] = [programs[first] ?? '', programs[second] ?? ''];
      const names = [`${first}-${second}`, `${first}-${second}-other`] as const;
      let home: Home;
      let other: Home;
      beforeAll(() => {
        [home, other] = [new Home(api.kubeconfig, names[0]), new Home(api.kubeconfig, names[1])];
        for (const name of names) home.kubectl(['create', 'namespace', name]);
      });

      test(
        'keeps every HashCluster when the CRD has changed, and takes the new field',
        async () => {
          const earlier = await earlierChart(join(folder, names[0]), NEW_FIELD);
          done(home.helm(before, 'install', 'first', earlier));
          home.kubectl(['wait', CRD, '--for=condition=Established', '--timeout=60s']);
          const [worker, healing] = [{ replicas: { min: 3, max: 5 } }, { maxUnhealthyPercent: 17 }];
          home.apply('kept', { worker, [NEW_FIELD]: healing });
          const old = home.read('kept');
          expect(old.spec).not.toHaveProperty(NEW_FIELD);
          done(home.helm(after, 'upgrade', 'first', CHART));
          expect(home.read('kept')).toMatchObject({ metadata: { uid: old.metadata.uid }, spec: { worker } });
          home.apply('kept', { worker, [NEW_FIELD]: healing });
          expect(home.read('kept')).toMatchObject({
            metadata: { uid: old.metadata.uid },
            spec: { worker, [NEW_FIELD]: healing },
          });
        },
        LIMIT_MS,
      );

      test(
        'says how to make a HashCluster, by a command that works',
        () => {
          const notes = done(home.helm(after, 'upgrade', 'first', CHART));
          const commands = notes.split('\n').filter((line) => line.startsWith('  '));
          expect(commands.map((line) => line.trim().split(' ', 2).join(' '))).toEqual([
            expect.stringMatching(/^echo /),
            'kubectl wait',
            'kubectl port-forward',
            'curl -s',
          ]);
          done(home.shell(commands[0]!));
          expect(home.read('hashcluster').spec).toHaveProperty('worker');
        },
        LIMIT_MS,
      );

      test.each([
        ['get hashclusters', 0, true],
        ['patch hashclusters --subresource=status', 0, true],
        ['create statefulsets', 0, true],
        ['create pods --subresource=eviction', 0, true],
        ['get secrets', 0, true],
        ['list secrets', 0, false],
        ['watch secrets', 0, false],
        ['create pods', 0, false],
        ['create pods --subresource=exec', 0, false],
        ['create rolebindings', 0, false],
        ['create serviceaccounts --subresource=token', 0, false],
        ['get nodes', 0, false],
        ['get nodes --subresource=proxy', 0, false],
        ['get hashclusters', 1, false],
        ['get secrets', 1, false],
      ] as const)('%s in namespace %d of its own and another: %s', (what, where, isAllowed) => {
        const account = `system:serviceaccount:${names[0]}:first-hashcluster-operator`;
        const args = ['auth', 'can-i', ...what.split(' '), `--as=${account}`, '--quiet'];
        expect((where === 0 ? home : other).can(args)).toBe(isAllowed);
      });

      test(
        'stands beside a second release, which touches nothing of it',
        () => {
          const refused = other.helm(after, 'install', 'second', CHART);
          expect([refused.code === 0, refused.output]).toEqual([
            false,
            expect.stringContaining('hashclusters.hashcluster.io'),
          ]);
          const all = home.names(KINDS);
          done(other.helm(after, 'install', 'second', CHART, '--set', 'crds.install=false'));
          expect(other.names(KINDS)).toContain('deployment.apps/second-hashcluster-operator');
          done(other.helm(after, 'uninstall', 'second'));
          expect(other.names(KINDS).filter((name) => name.includes('second'))).toEqual([]);
          expect(home.names(KINDS)).toEqual(all);
        },
        LIMIT_MS,
      );

      test(
        'leaves the HashClusters when it goes, and takes them over when it comes back',
        () => {
          const { metadata } = home.read('kept');
          done(home.helm(after, 'uninstall', 'first'));
          expect(home.names(KINDS).filter((name) => name.includes('first'))).toEqual([]);
          expect(home.read('kept').metadata.uid).toBe(metadata.uid);
          done(home.helm(after, 'install', 'again', CHART, '--take-ownership'));
          expect(home.read('kept').metadata.uid).toBe(metadata.uid);
        },
        LIMIT_MS,
      );

      test(
        'takes the HashClusters along when it is told to',
        () => {
          done(home.helm(after, 'upgrade', 'again', CHART, '--set', 'crds.keep=false'));
          done(home.helm(after, 'uninstall', 'again'));
          home.kubectl(['wait', CRD, '--for=delete', '--timeout=60s']);
          expect(home.names('customresourcedefinitions')).toEqual([]);
        },
        LIMIT_MS,
      );
    },
  );
});
