import type { KubeObject } from '../kube.ts';
import type { Component } from '../observed.ts';
import { childMeta, type Context } from './context.ts';
import { clientPeers, type Peer } from './ingress-controllers.ts';
import { PORTS, selectorOf } from './names.ts';

/** The label by which a pod of the same namespace says that it is a client; its value is the cluster's name. */
export const CLIENT_LABEL = 'hashcluster.io/client';

/** The way in for a part, and the way out. */
interface Ways {
  readonly ingress: readonly object[];
  readonly egress: readonly object[];
}

function tcp(...ports: readonly number[]): object[] {
  return ports.map((port) => ({ port, protocol: 'TCP' }));
}

function from(peers: readonly Peer[], ...ports: readonly number[]): object[] {
  return peers.length === 0 ? [] : [{ from: peers, ports: tcp(...ports) }];
}

function to(peers: readonly Peer[], ...ports: readonly number[]): object[] {
  return peers.length === 0 ? [] : [{ to: peers, ports: tcp(...ports) }];
}

function pods({ cluster }: Context, component: Component): Peer {
  return { podSelector: { matchLabels: selectorOf(cluster, component) } };
}

function operator({ observed }: Context): Peer {
  const { namespace, podLabels } = observed.defaults.operator;
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    podSelector: { matchLabels: podLabels },
  };
}

function dns({ cluster }: Context): object[] {
  const peers = cluster.spec.networkPolicy.dns;
  const ports = ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol }));
  return peers.length === 0 ? [] : [{ to: peers, ports }];
}

/** The port of `host:port`, or of a URL. */
function portOf(address: string): number {
  const [, port] = /:(\d{1,5})(?:\/|$)/.exec(address.replace(/^\w+:\/\//, '')) ?? [];
  if (port !== undefined) return Number(port);
  return address.startsWith('https') ? 443 : 80;
}

/** Servers of somebody else are anywhere: what is known of them is the port. */
function servers(context: Context): object[] {
  const { mongodb, kafka } = context.cluster.spec;
  const brokers = kafka.external?.brokers.map(portOf) ?? [];
  return [
    ...(mongodb.external
      ? [{ ports: tcp(...mongodb.external.ports) }]
      : to([pods(context, 'mongodb')], PORTS.mongodb)),
    ...(kafka.external ? [{ ports: tcp(...new Set(brokers)) }] : to([pods(context, 'kafka')], PORTS.kafka)),
  ];
}

function telemetry({ cluster }: Context): object[] {
  const { monitoring, networkPolicy } = cluster.spec;
  return monitoring.otlp ? to(networkPolicy.telemetry, portOf(monitoring.otlp.endpoint)) : [];
}

function outOfRole(context: Context): object[] {
  return [...servers(context), ...telemetry(context), ...dns(context)];
}

const WAYS: Readonly<Record<Component, (context: Context) => Ways>> = {
  endpoint: (context) => {
    const { spec, metadata } = context.cluster;
    const { monitoring } = spec.networkPolicy;
    const clients = clientPeers(spec, metadata.namespace);
    const labelled = {
      podSelector: { matchLabels: { [CLIENT_LABEL]: context.cluster.metadata.name } },
    };
    return {
      ingress: [
        ...from([...clients, labelled], PORTS.http),
        ...from([operator(context)], PORTS.http, PORTS.admin),
        ...from(monitoring, PORTS.admin),
      ],
      egress: outOfRole(context),
    };
  },
  worker: (context) => ({
    ingress: from([...context.cluster.spec.networkPolicy.monitoring, operator(context)], PORTS.admin),
    egress: outOfRole(context),
  }),
  mongodb: (context) => {
    const self = pods(context, 'mongodb');
    const clients = [pods(context, 'endpoint'), pods(context, 'worker'), operator(context)];
    return {
      ingress: from([...clients, self], PORTS.mongodb),
      egress: [...to([self], PORTS.mongodb), ...dns(context)],
    };
  },
  kafka: (context) => {
    const self = pods(context, 'kafka');
    const clients = [pods(context, 'endpoint'), pods(context, 'worker'), operator(context)];
    return {
      ingress: [...from(clients, PORTS.kafka), ...from([self], PORTS.kafka, PORTS.kafkaController)],
      egress: [...to([self], PORTS.kafka, PORTS.kafkaController), ...dns(context)],
    };
  },
};

/** Who a part's pods speak with: nobody, but for these. */
export function networkPolicy(context: Context, component: Component): KubeObject {
  const { ingress, egress } = WAYS[component](context);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMeta(context, component),
    spec: {
      podSelector: { matchLabels: selectorOf(context.cluster, component) },
      policyTypes: ['Ingress', 'Egress'],
      ingress,
      egress,
    },
  };
}
