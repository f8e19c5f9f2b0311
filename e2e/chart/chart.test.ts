import { describe, expect, test as always } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { CHART, findTool, run, type Outcome } from './tools.ts';

/** The oldest that the chart runs on. */
const KUBERNETES = '1.31.0';

interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Record<string, string>;
  };
  readonly rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  readonly spec?: {
    template?: {
      spec: {
        containers: { env: { name: string; value?: string }[]; image: string }[];
        tolerations: object[];
        topologySpreadConstraints: object[];
      };
    };
  };
}

const LOST_NODES = ['not-ready', 'unreachable'].map((name) => ({
  ...{ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
}));

interface Rendered extends Outcome {
  readonly manifests: readonly Manifest[];
}

function kinds({ manifests }: Rendered): string[] {
  return manifests
    .map(({ kind, metadata: { name, namespace } }) => `${kind} ${namespace ?? '-'}/${name}`)
    .sort();
}

describe.each(['helm', 'helm3'])('the chart (needs %s)', (name) => {
  const helm = findTool(name, 'version');
  const test = helm === null ? always.skip : always;

  function template(...values: string[]): Rendered {
    const set = values.flatMap((value) => ['--set', value]);
    const where = ['demo', CHART, '--namespace', 'home', '--kube-version', KUBERNETES];
    const outcome = run(helm!, ['template', ...where, ...set]);
    const documents = outcome.code === 0 ? parseAllDocuments(outcome.stdout) : [];
    const manifests = documents.map((each) => each.toJSON() as Manifest | null);
    return { ...outcome, manifests: manifests.filter((each) => each !== null) };
  }

  test('has nothing that lint finds wrong', () => {
    const { code, output } = run(helm!, ['lint', '--strict', CHART]);
    expect(code === 0 ? '' : output).toBe('');
  });

  test('makes an operator for the namespace of the release, with a role there and none for the cluster', () => {
    expect(kinds(template('rbac.aggregate=false'))).toEqual([
      'CustomResourceDefinition -/hashclusters.hashcluster.io',
      'Deployment home/demo-hashcluster-operator',
      'NetworkPolicy home/demo-hashcluster-operator',
      'Role home/demo-hashcluster-operator',
      'Role home/demo-hashcluster-operator-leader',
      'RoleBinding home/demo-hashcluster-operator',
      'RoleBinding home/demo-hashcluster-operator-leader',
      'Service home/demo-hashcluster-operator',
      'ServiceAccount home/demo-hashcluster-operator',
    ]);
  });

  test.each([
    ['its own namespace', [], ['home'], 'home'],
    ['several namespaces', ['watchNamespaces={a,b}'], ['a', 'b'], 'a,b'],
    ['all namespaces', ['watchNamespaces={*}'], [], undefined],
  ])('lets the operator work in %s', (_what, values, namespaces, watched) => {
    const { manifests } = template(...values);
    const roles = manifests.filter(
      ({ kind, metadata }) => kind === 'Role' && !metadata.name.endsWith('-leader'),
    );
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(namespaces);
    const clusterwide = manifests.filter(({ kind }) => kind === 'ClusterRoleBinding');
    expect(clusterwide).toHaveLength(namespaces.length === 0 ? 1 : 0);
    const { env } = manifests.find(({ kind }) => kind === 'Deployment')!.spec!.template!.spec.containers[0]!;
    expect(env.find(({ name }) => name === 'WATCH_NAMESPACES')?.value).toBe(watched);
  });

  test('asks for no wildcard, no list of Secrets, no exec and nothing of nodes', () => {
    const rules = template('watchNamespaces={*}').manifests.flatMap((manifest) => manifest.rules ?? []);
    const words = rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
    expect(words.filter((word) => /\*|exec|nodes|attach|impersonate|escalate|bind/.test(word))).toEqual([]);
    const secrets = rules.filter(({ resources }) => resources.includes('secrets'));
    expect(secrets.flatMap(({ verbs }) => verbs).sort()).toEqual(['create', 'delete', 'get', 'patch']);
  });

  test.each([
    ['keeps the CRD', [], 'keep'],
    ['lets it go', ['crds.keep=false'], undefined],
  ])('%s when the release goes', (_what, values, policy) => {
    const crd = template(...values).manifests.find(({ kind }) => kind === 'CustomResourceDefinition')!;
    expect(crd.metadata.annotations?.['helm.sh/resource-policy']).toBe(policy);
  });

  test.each([
    ['PodDisruptionBudget', 'podDisruptionBudget.enabled=true'],
    ['ServiceMonitor', 'serviceMonitor.enabled=true'],
    ['HashCluster', 'cluster.create=true'],
    ['ClusterRole', 'rbac.aggregate=true'],
  ])('adds a %s when it is asked to', (kind, value) => {
    const without = template('rbac.aggregate=false').manifests.filter((each) => each.kind === kind);
    const added = template('rbac.aggregate=false', value).manifests.filter((each) => each.kind === kind);
    expect([without.length, added.length > 0]).toEqual([0, true]);
  });

  test('gives the operator’s pods what is said of pods', () => {
    const [toleration, secret] = ['tolerations[0].key=dedicated', 'imagePullSecrets[0]=registry'];
    const said = [
      'priorityClassName=high',
      'nodeSelector.kind=system',
      'podAnnotations.a=b',
      toleration,
      secret,
    ];
    const { manifests } = template(...said, 'image.repository=mirror/operator', 'image.tag=1.2.3');
    expect(manifests.find(({ kind }) => kind === 'Deployment')!.spec!.template).toMatchObject({
      metadata: { annotations: { a: 'b' } },
      spec: {
        ...{ priorityClassName: 'high', nodeSelector: { kind: 'system' } },
        ...{ tolerations: [{ key: 'dedicated' }, ...LOST_NODES], imagePullSecrets: [{ name: 'registry' }] },
        containers: [{ image: 'mirror/operator:1.2.3' }],
      },
    });
  });

  const pods = (...values: string[]) =>
    template(...values).manifests.find(({ kind }) => kind === 'Deployment')!.spec!.template!.spec;

  test.each([
    ['leave a lost node after 30 s', [], LOST_NODES],
    [
      'stay on one as long as they are told to',
      ['tolerations[0].key=node.kubernetes.io/unreachable', 'tolerations[0].tolerationSeconds=9'],
      [{ key: 'node.kubernetes.io/unreachable', tolerationSeconds: 9 }, LOST_NODES[0]],
    ],
    ['stay everywhere when they are told to', ['tolerations[0].operator=Exists'], [{ operator: 'Exists' }]],
  ])('has pods that %s', (_what, values, expected) => {
    expect(pods(...values)).toMatchObject({ tolerations: expected });
    expect(pods(...values).tolerations).toHaveLength(expected.length);
  });

  test.each([
    ['1', 'ScheduleAnyway'],
    ['2', 'DoNotSchedule'],
  ])('spreads %s operators over nodes: %s', (replicas, whenUnsatisfiable) => {
    const [constraint] = pods(`replicas=${replicas}`).topologySpreadConstraints;
    expect(constraint).toMatchObject({ topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable });
  });

  test.each([
    ['home', []],
    ['home', ['watchNamespaces={*}']],
    ['home', ['watchNamespaces={a,home}']],
    ['a', ['watchNamespaces={a,b}']],
  ])('makes the first HashCluster where it is looked for: in %s of %j', (namespace, values) => {
    const { manifests } = template('cluster.create=true', ...values);
    const made = manifests.filter(({ kind }) => kind === 'HashCluster');
    expect(made.map(({ metadata }) => metadata.namespace)).toEqual([namespace]);
  });

  test.each([
    ['an unknown value', 'replicaCount=2', /replicaCount/],
    ['no operators', 'replicas=0', /replicas/],
    ['a level that there is not', 'logLevel=loud', /logLevel/],
    ['a namespace that cannot be', 'watchNamespaces={Not_A_Name}', /watchNamespaces/],
    ['a resource that is neither asked for nor limited', 'resources.limit.memory=1Gi', /limit\b/],
    ['a toleration that there is not', 'tolerations[0].effect=Sometimes', /effect/],
    ['a peer that is none', 'networkPolicy.monitoring[0].namespace=a', /namespace/],
    ['a domain that cannot be', 'clusterDomain=-', /clusterDomain/],
    ['all namespaces and one more', 'watchNamespaces={*,a}', /stands alone/],
    ['no ServiceAccount at all', 'serviceAccount.create=false', /serviceAccount.name/],
  ])('refuses %s', (_what, value, reason) => {
    const { code, output } = template(value);
    expect(code).not.toBe(0);
    expect(output).toMatch(reason);
  });
});
