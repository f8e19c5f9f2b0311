import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CLUSTER, kubectl } from './kube.ts';
import { run } from './run.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Where there is one: what brings addons to clusters that cannot pull images. */
const KIT = fileURLToPath(new URL('../../../../shared/kind/addons/apply', import.meta.url));
const NODE_IMAGE = 'kindest/node:v1.35.4';
const CONTOUR = 'https://projectcontour.io/quickstart/v1.33.8/contour.yaml';
const METRICS = 'https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.9.0/components.yaml';

/** Port of the ingress on 127.0.0.1. */
export const INGRESS_PORT = 8180;
const VERSION = '0.1.0';
export const IMAGES = {
  services: `hashcluster/services:${VERSION}`,
  operator: `hashcluster/operator:${VERSION}`,
  mongodb: 'mongo:6.0',
  kafka: 'apache/kafka:4.3.1',
} as const;
/** The services by another name, as if they were a new version. */
export const NEXT_SERVICES = `${IMAGES.services}-next`;

const CREATE_MS = 420_000;
const BUILD_MS = 900_000;
const LOAD_MS = 600_000;

/** The control plane gives a silent node up after 20 s, not 50: a story waits for that three times. */
const LOST_SOON = {
  kind: 'ClusterConfiguration',
  controllerManager: { extraArgs: { 'node-monitor-grace-period': '20s' } },
};
const CONFIG = {
  kind: 'Cluster',
  apiVersion: 'kind.x-k8s.io/v1alpha4',
  kubeadmConfigPatches: [JSON.stringify(LOST_SOON)],
  nodes: [
    {
      role: 'control-plane',
      labels: { 'ingress-ready': 'true' },
      extraPortMappings: [{ containerPort: 80, hostPort: INGRESS_PORT, listenAddress: '127.0.0.1' }],
    },
    { role: 'worker' },
    { role: 'worker' },
  ],
};

/** Makes the cluster unless it is there, with metrics-server and an ingress controller (class `contour`). */
export async function createCluster(say: (line: string) => void): Promise<void> {
  const there = (await run('kind', ['get', 'clusters'])).split('\n').includes(CLUSTER);
  if (!there) {
    say('creating the cluster');
    const args = ['create', 'cluster', '--name', CLUSTER, '--image', NODE_IMAGE, '--wait', '180s'];
    await run('kind', [...args, '--config', '-'], { input: JSON.stringify(CONFIG), limitMs: CREATE_MS });
  }
  say('adding metrics-server and Contour');
  if (existsSync(KIT)) await run(KIT, [CLUSTER, 'metrics-server', 'contour'], { limitMs: CREATE_MS });
  else await applyPublicAddons();
  // One may be on the node that is drained, and an ingress that hears of no change sends requests to pods that are gone.
  const twice = ['scale', 'deployment/contour', '--replicas=2'];
  await kubectl(['--namespace', 'projectcontour', ...twice]);
}

async function applyPublicAddons(): Promise<void> {
  await kubectl(['apply', '--server-side', '-f', METRICS]);
  // The kubelets of kind have certificates that nobody knows.
  const flag = [
    { op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--kubelet-insecure-tls' },
  ];
  const patch = ['patch', 'deployment', 'metrics-server', '--type=json', `--patch=${JSON.stringify(flag)}`];
  await kubectl(['--namespace', 'kube-system', ...patch]);
  await kubectl(['apply', '--server-side', '-f', CONTOUR]);
  const watched = ['rollout', 'status', 'deployment/contour', 'daemonset/envoy', '--timeout=300s'];
  await kubectl(['--namespace', 'projectcontour', ...watched], { limitMs: CREATE_MS });
}

/** Builds our images and loads all that a HashCluster needs onto the nodes. */
export async function loadImages(say: (line: string) => void): Promise<void> {
  for (const target of ['services', 'operator'] as const) {
    say(`building ${IMAGES[target]}`);
    // The builder that every Docker has.
    const env = { DOCKER_BUILDKIT: '0' };
    const args = ['build', '--quiet', '--target', target, '--tag', IMAGES[target], '.'];
    await run('docker', args, { cwd: ROOT, env, limitMs: BUILD_MS });
  }
  await run('docker', ['tag', IMAGES.services, NEXT_SERVICES]);
  say('loading the images onto the nodes');
  const workers = `${CLUSTER}-worker,${CLUSTER}-worker2`;
  const args = ['load', 'docker-image', '--name', CLUSTER, '--nodes', workers];
  await run('kind', [...args, ...Object.values(IMAGES), NEXT_SERVICES], { limitMs: LOAD_MS });
}

/** Idempotent. */
export async function deleteCluster(): Promise<void> {
  await run('kind', ['delete', 'cluster', '--name', CLUSTER], { limitMs: CREATE_MS });
}
