import type { ClusterSpec } from '../../api/spec.ts';
import { canonical } from '../fingerprint.ts';
import { DEFAULT_CLIENTS } from '../../api/access-spec.ts';

/** A peer of a NetworkPolicy. */
export type Peer = Readonly<Record<string, unknown>>;

/** What an Ingress has to let pass. */
export interface Passing {
  /** The longest time without a byte, in seconds. */
  readonly seconds: number;
  /** The largest body, in bytes. */
  readonly maxBodyBytes: number;
  /** The path that is taken off; null: none. */
  readonly prefix: string | null;
}

/** An ingress controller, known by the name of its class. */
export interface IngressController {
  readonly name: string;
  /** Where its proxies run, as its own instructions install it. */
  readonly peers: readonly Peer[];
  /** Whether annotations alone make it take a path off. */
  readonly rewrites: boolean;
  readonly annotations: (passing: Passing) => Readonly<Record<string, string>>;
}

function namespaced(name: string, podLabels?: Readonly<Record<string, string>>): Peer {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
    ...(podLabels && { podSelector: { matchLabels: podLabels } }),
  };
}

/** Source: ingress-nginx, "Annotations". */
function nginxAnnotations({ seconds, maxBodyBytes, prefix }: Passing): Record<string, string> {
  const at = 'nginx.ingress.kubernetes.io';
  return {
    [`${at}/proxy-body-size`]: String(maxBodyBytes),
    [`${at}/proxy-request-buffering`]: 'off',
    [`${at}/proxy-buffering`]: 'off',
    [`${at}/proxy-read-timeout`]: String(seconds),
    [`${at}/proxy-send-timeout`]: String(seconds),
    ...(prefix !== null && { [`${at}/use-regex`]: 'true', [`${at}/rewrite-target`]: '/$2' }),
  };
}

/** Sources: HAProxy Kubernetes Ingress Controller, "Annotations"; HAProxy Ingress, "Configuration keys". */
function haproxyAnnotations({ seconds, prefix }: Passing): Record<string, string> {
  return {
    'haproxy.org/timeout-server': `${seconds}s`,
    'haproxy-ingress.github.io/timeout-server': `${seconds}s`,
    ...(prefix !== null && {
      'haproxy.org/path-rewrite': String.raw`^${prefix}/?(.*) /\1`,
      'haproxy-ingress.github.io/rewrite-target': '/',
    }),
  };
}

const CONTROLLERS: readonly IngressController[] = [
  {
    name: 'nginx',
    peers: [namespaced('ingress-nginx'), namespaced('nginx-ingress')],
    rewrites: true,
    annotations: nginxAnnotations,
  },
  {
    name: 'contour',
    peers: [namespaced('projectcontour')],
    rewrites: false,
    // The time-out is one for the whole answer, and an event stream has no end. Source: Contour, "Annotations".
    annotations: () => ({ 'projectcontour.io/response-timeout': 'infinity' }),
  },
  {
    name: 'traefik',
    peers: [
      namespaced('traefik'),
      // Where k3s has it.
      namespaced('kube-system', { 'app.kubernetes.io/name': 'traefik' }),
    ],
    rewrites: false,
    // It cuts no answer off.
    annotations: () => ({}),
  },
  {
    name: 'haproxy',
    peers: ['haproxy-controller', 'haproxy-ingress', 'ingress-controller'].map((name) => namespaced(name)),
    rewrites: true,
    annotations: haproxyAnnotations,
  },
];

/** Controllers that an Ingress may belong to: without a class any of them; none: the class is not known. */
export function controllersOf({ className }: Pick<ClusterSpec['ingress'], 'className'>): IngressController[] {
  return CONTROLLERS.filter(({ name }) => className === undefined || className.includes(name));
}

/** The label of the proxies of a Gateway. Source: Gateway API, GEP-1762. */
const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';
/** Where implementations of the Gateway API run proxies that are not beside the Gateway. */
const GATEWAY_NAMESPACES = ['envoy-gateway-system', 'projectcontour', 'nginx-gateway', 'traefik'];

function gatewayPeers(parents: ClusterSpec['ingress']['parentRefs'], own: string): Peer[] {
  const beside = parents.map(({ name, namespace = own }) => namespaced(namespace, { [GATEWAY_NAME]: name }));
  return [...beside, ...GATEWAY_NAMESPACES.map((name) => namespaced(name))];
}

/** Whether the spec leaves open who the clients are. */
export function hasDefaultClients({ networkPolicy }: Pick<ClusterSpec, 'networkPolicy'>): boolean {
  return canonical(networkPolicy.clients) === canonical(DEFAULT_CLIENTS);
}

/** Who reaches the endpoints: who the spec names, or else the proxies of the way in. */
export function clientPeers(spec: ClusterSpec, namespace: string): readonly Peer[] {
  const { ingress, networkPolicy } = spec;
  if (!ingress.enabled || !hasDefaultClients(spec)) return networkPolicy.clients;
  if (ingress.type === 'HTTPRoute') return gatewayPeers(ingress.parentRefs, namespace);
  const peers = controllersOf(ingress).flatMap((controller) => controller.peers);
  return peers.length > 0 ? peers : networkPolicy.clients;
}
