import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Transport } from '../control/transport.ts';
import { startProgram, type Program } from './program.ts';
import type { ApiServerPrograms } from './settings.ts';

/** A real Kubernetes API without nodes: objects are kept and checked, and nobody acts on them. */
export interface ApiServer {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  /** Of somebody who may do everything. */
  readonly token: string;
  /** The certificate to trust, in PEM. */
  readonly ca: string;
  readonly config: KubeConfig;
  /** Stops the programs and deletes what they wrote. Idempotent. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const TOKEN = 'all-powerful';
const MUTATING_POLICIES = 'admissionregistration.k8s.io/v1beta1';
/** On a busy machine a start takes half a minute. */
const READY_MS = 90_000;
const TRIES = 3;

/** Starts etcd and kube-apiserver on free ports of loopback. Rejects with their logs when they do not become ready. */
export async function startApiServer(programs: ApiServerPrograms): Promise<ApiServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(programs);
    } catch (error) {
      // Between finding a port and using it, somebody else may have taken it.
      if (attempt === TRIES || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function start(programs: ApiServerPrograms): Promise<ApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'hashcluster-api-'));
  const [clients, peers, port] = [await freePort(), await freePort(), await freePort()];
  const running: Program[] = [];
  const stop = async (): Promise<void> => {
    for (const program of running.splice(0).reverse()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    running.push(startProgram(programs.etcd, etcdArgs(folder, clients, peers)));
    running.push(startProgram(programs.kubeApiserver, await serverArgs(folder, clients, port)));
    const url = `https://${HOST}:${port}`;
    const ca = await whenReady({ url, folder, running });
    return { url, token: TOKEN, ca, config: configOf(url, ca), stop };
  } catch (error) {
    const logs = running.map(({ log }) => log()).join('\n');
    await stop();
    throw new Error(`The API server did not start: ${String(error)}\n${logs}`, { cause: error });
  }
}

function etcdArgs(folder: string, clients: number, peers: number): string[] {
  const [client, peer] = [`http://${HOST}:${clients}`, `http://${HOST}:${peers}`];
  return [
    ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...[
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `default=${peer}`,
    ],
  ];
}

async function serverArgs(folder: string, etcd: number, port: number): Promise<string[]> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const [key, tokens] = [join(folder, 'accounts.key'), join(folder, 'tokens.csv')];
  await writeFile(key, privateKey, { mode: 0o600 });
  await writeFile(tokens, `${TOKEN},tester,tester,"system:masters"\n`, { mode: 0o600 });
  return [
    ...[`--etcd-servers=http://${HOST}:${etcd}`, `--cert-dir=${join(folder, 'certs')}`],
    ...[`--bind-address=${HOST}`, `--secure-port=${port}`, `--token-auth-file=${tokens}`],
    ...['--authorization-mode=RBAC', '--service-cluster-ip-range=10.0.0.0/16'],
    ...['--service-account-issuer=https://localhost', `--service-account-key-file=${key}`],
    ...[`--service-account-signing-key-file=${key}`],
    // Tests add policies that change objects on admission. Source: Kubernetes 1.35, beta and off by default.
    ...['--feature-gates=MutatingAdmissionPolicy=true', `--runtime-config=${MUTATING_POLICIES}=true`],
    // Nobody makes the account that pods would have.
    '--disable-admission-plugins=ServiceAccount',
  ];
}

interface Starting {
  readonly url: string;
  readonly folder: string;
  readonly running: readonly Program[];
}

/** The certificate, once the server says that it is ready. */
async function whenReady({ url, folder, running }: Starting): Promise<string> {
  const end = Date.now() + READY_MS;
  let last: unknown = null;
  while (Date.now() < end && !running.some(({ hasEnded }) => hasEnded())) {
    try {
      const ca = await readFile(join(folder, 'certs', 'apiserver.crt'), 'utf8');
      await probe(configOf(url, ca));
      return ca;
    } catch (error) {
      last = error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('not ready', { cause: last });
}

async function probe(config: KubeConfig): Promise<void> {
  const transport = new Transport({ config, retryBudgetMs: 0 });
  try {
    await transport.request({ method: 'GET', path: '/api/v1/namespaces/default' });
    await transport.request({
      method: 'GET',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    });
  } finally {
    await transport.stop();
  }
}

/** A kubeconfig for one server and one token; without a certificate it is reached over plain HTTP. */
export function configOf(server: string, ca: string | null, token = TOKEN): KubeConfig {
  const tls =
    ca === null
      ? { skipTLSVerify: true }
      : { caData: Buffer.from(ca).toString('base64'), skipTLSVerify: false };
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'test', server, ...tls }],
    users: [{ name: 'tester', token }],
    contexts: [{ name: 'test', cluster: 'test', user: 'tester' }],
    currentContext: 'test',
  });
  return config;
}

/** A port of loopback that nobody uses at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
