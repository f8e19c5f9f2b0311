import { Namespace } from './kube.ts';

const HOME = new Namespace('kube-system');

async function scale(replicas: number): Promise<void> {
  await HOME.kubectl(['scale', 'deployment', 'metrics-server', `--replicas=${replicas}`]);
}

/** Stops the cluster's metrics-server. Returns what starts it again. */
export async function stopMetricsServer(): Promise<() => Promise<void>> {
  await scale(0);
  return () => scale(1);
}
