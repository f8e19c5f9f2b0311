import type { KubeObject } from '../kube.ts';
import { childMeta, type Context } from './context.ts';
import { PORTS, selectorOf } from './names.ts';

/** Where clients and Ingress find the endpoints. */
export function endpointService(context: Context): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(context, 'endpoint'),
    spec: {
      type: 'ClusterIP',
      selector: selectorOf(context.cluster, 'endpoint'),
      ports: [{ name: 'http', port: PORTS.http, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' }],
    },
  };
}

/** Gives every member of a managed server a name of its own, before it is ready too: that is how they find each other. */
export function headlessService(context: Context, server: 'mongodb' | 'kafka'): KubeObject {
  const client = { name: server, port: PORTS[server], targetPort: server, protocol: 'TCP' };
  const controller = {
    ...{ name: 'controller', port: PORTS.kafkaController, targetPort: 'controller', protocol: 'TCP' },
  };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(context, server),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorOf(context.cluster, server),
      ports: server === 'kafka' ? [client, controller] : [client],
    },
  };
}
