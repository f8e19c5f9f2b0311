import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The programs that a real API server consists of. */
export interface ApiServerPrograms {
  readonly etcd: string;
  readonly kubeApiserver: string;
}

const USUAL = '/usr/local/kubebuilder/bin';

/** Where envtest looks, too: `KUBEBUILDER_ASSETS`, or the usual place. Null: they are not there. */
export function findApiServer(env: NodeJS.ProcessEnv = process.env): ApiServerPrograms | null {
  const folder = env['KUBEBUILDER_ASSETS'] ?? USUAL;
  const programs = { etcd: join(folder, 'etcd'), kubeApiserver: join(folder, 'kube-apiserver') };
  return existsSync(programs.etcd) && existsSync(programs.kubeApiserver) ? programs : null;
}

/** For programs in Go that live for seconds: with less garbage collection their start takes less of the CPU. */
export function goEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { GOGC: '400', ...env };
}
