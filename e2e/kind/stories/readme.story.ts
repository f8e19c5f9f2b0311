import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { commandBlocks, ROOT } from '../../lib/pages.ts';
import { CLUSTER, kubectl, Namespace } from '../lib/kube.ts';
import { uninstallOperator } from '../lib/operator.ts';
import { run } from '../lib/run.ts';

const LIMIT_MS = 420_000;
const NAMESPACE = new Namespace('hashcluster');
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hashcluster-e2e-'));
  await uninstallOperator();
}, LIMIT_MS);
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
}, LIMIT_MS);

/** What is there of ours anywhere, as `kind/name`. */
async function remains(): Promise<string> {
  const kinds = 'customresourcedefinitions,clusterroles,clusterrolebindings,namespaces,persistentvolumes';
  const names = (await kubectl(['get', kinds, '--output', 'name'])).split('\n');
  return names.filter((name) => name.includes('hashcluster') && !name.includes('e2e')).join();
}

test(
  'every command of the README and of docs/ for Kubernetes works, in order, and at the end nothing is left',
  async () => {
    const config = join(dir, 'kubeconfig');
    await run('kind', ['export', 'kubeconfig', '--name', CLUSTER, '--kubeconfig', config]);
    const env = {
      KUBECONFIG: config,
      PATH: [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
      NODE_OPTIONS: '',
      // The builder that every Docker has.
      DOCKER_BUILDKIT: '0',
    };
    const blocks = await commandBlocks('sh kubernetes');
    expect(blocks).toHaveLength(3);
    for (const block of blocks)
      await run('bash', ['-euo', 'pipefail', '-c', block], { cwd: ROOT, env, limitMs: LIMIT_MS });
    expect(await remains()).toBe('');
    expect(await kubectl(['get', 'namespace', NAMESPACE.name, '--ignore-not-found'])).toBe('');
  },
  4 * LIMIT_MS,
);
