import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, findTool, ROOT, run } from './tools.ts';

const PRINT = join(ROOT, 'operator/src/testing/print-children.ts');
const LIMIT_MS = 300_000;

/** What is reported and meant so. Every other finding fails; one that is not found any more does, too. */
const MEANT = {
  CKV_K8S_11: 'A limit on CPU slows a process down while its node idles; requests say what it gets.',
  CKV_K8S_15: 'Images have versions, which do not change; nodes need no registry to start a pod again.',
  CKV_K8S_35:
    'Passwords are in the environment of one process that starts no other, on a root without a shell.',
  CKV_K8S_38: 'The operator speaks with the API server. No other pod has a token.',
  CKV_K8S_40: 'MongoDB’s and Kafka’s images have their own users, 999 and 1000, who own what is in them.',
  CKV_K8S_43: 'An image is named by its version unless a digest is given with it: tag 0.1.0@sha256:….',
} as const;

const [checkov, helm] = [findTool('checkov', '--version'), findTool('helm', 'version')];
const where = checkov !== null && helm !== null ? describe : describe.skip;

interface Report {
  readonly summary: { readonly passed: number; readonly parsing_errors: number };
  readonly results: {
    readonly failed_checks: readonly { readonly check_id: string; readonly resource: string }[];
  };
}

/** Standard output of what must not fail. */
function output(file: string, ...args: string[]): string {
  const { code, stdout, output } = run(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${output}`);
  return stdout;
}

where('checkov (needs checkov and helm)', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'hashcluster-lint-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** `id kind.namespace.name` of what is found in the manifests. */
  async function findings(
    manifests: string,
  ): Promise<{ readonly passed: number; readonly failed: string[] }> {
    await writeFile(join(folder, 'manifests.yaml'), manifests);
    const flags = ['--framework', 'kubernetes', '--output', 'json', '--skip-download', '--soft-fail'];
    const { summary, results } = JSON.parse(output(checkov!, ...flags, '--directory', folder)) as Report;
    expect(summary.parsing_errors).toBe(0);
    const failed = results.failed_checks.map(({ check_id, resource }) => `${check_id} ${resource}`);
    return { passed: summary.passed, failed };
  }

  const unexpected = (failed: readonly string[]) =>
    failed.filter((each) => !Object.keys(MEANT).includes(each.split(' ', 1)[0]!));

  test(
    'finds nothing in what the chart and the operator make but what is meant so',
    async () => {
      const values = ['watchNamespaces={*}', 'replicas=2', 'podDisruptionBudget.enabled=true'];
      const set = values.flatMap((value) => ['--set', value]);
      const chart = output(helm!, 'template', 'demo', CHART, '--namespace', 'home', ...set);
      const samples = ['minimal', 'production', 'external-servers'].map((name) =>
        join(ROOT, `crds/samples/${name}.yaml`),
      );
      const children = output(process.execPath, PRINT, ...samples);
      const { passed, failed } = await findings(`${chart}\n${children}`);
      expect(unexpected(failed)).toEqual([]);
      expect(new Set(failed.map((each) => each.split(' ', 1)[0]!))).toEqual(new Set(Object.keys(MEANT)));
      expect(passed).toBeGreaterThan(300);
    },
    LIMIT_MS,
  );

  test(
    'does find what is wrong: a container that is privileged',
    async () => {
      const { failed } = await findings(
        JSON.stringify({
          ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad', namespace: 'home' } },
          spec: { containers: [{ name: 'bad', image: 'bad:1', securityContext: { privileged: true } }] },
        }),
      );
      expect(unexpected(failed)).toContain('CKV_K8S_16 Pod.home.bad');
    },
    LIMIT_MS,
  );
});
