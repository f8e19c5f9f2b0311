import type { KubeObject } from '../kube.ts';
import { childMeta, type Context } from './context.ts';
import { controllersOf, hasDefaultClients } from './ingress-controllers.ts';
import { childName, PORTS } from './names.ts';

/** Beyond the longest wait that is granted, so that the endpoint answers first. */
const MARGIN_SECONDS = 30;

/** Annotations by controller: bodies pass through as they come, waits and event streams are not cut off. */
function annotationsFor({ cluster }: Context): Record<string, string> {
  const { ingress, limits } = cluster.spec;
  const { maxBodyBytes, maxWaitSeconds } = limits;
  const seconds = Math.max(60, maxWaitSeconds) + MARGIN_SECONDS;
  const prefix = ingress.path === '/' ? null : ingress.path.replace(/\/$/, '');
  const each = controllersOf(ingress).map(({ annotations }) =>
    annotations({ seconds, maxBodyBytes, prefix }),
  );
  return Object.assign({}, ...each) as Record<string, string>;
}

/** The path as nginx takes it off: the service knows nothing of it. */
function pathOf({ cluster }: Context): { path: string; pathType: string } {
  const { path, className = 'nginx' } = cluster.spec.ingress;
  if (path === '/' || !className.includes('nginx')) return { path, pathType: 'Prefix' };
  return { path: `${path.replace(/\/$/, '')}(/|$)(.*)`, pathType: 'ImplementationSpecific' };
}

/** Annotations by which a user takes care of the path. */
const REWRITING = /rewrite|strip|middlewares/i;

/** Why requests may not get through a way in that is asked for; empty: they do. */
export function ingressWarnings({
  cluster,
}: Context): { readonly reason: string; readonly message: string }[] {
  const { ingress, networkPolicy } = cluster.spec;
  const { enabled, type, className, path } = ingress;
  if (!enabled || type !== 'Ingress' || className === undefined) return [];
  const controllers = controllersOf(ingress);
  const isRewritten =
    controllers.some(({ rewrites }) => rewrites) ||
    Object.keys(ingress.annotations).some((name) => REWRITING.test(name));
  const unknown = `class ${className}`;
  return [
    ...(path === '/' || isRewritten
      ? []
      : [
          {
            reason: 'IngressPathUnsupported',
            message: `ingress.path ${path} is not taken off by controllers of ${unknown}, so requests are answered with 404: use /, an HTTPRoute, or an annotation that rewrites it`,
          },
        ]),
    ...(controllers.length > 0 || !networkPolicy.enabled || !hasDefaultClients(cluster.spec)
      ? []
      : [
          {
            reason: 'IngressControllerUnknown',
            message: `The controller of ${unknown} is not known, so the NetworkPolicy keeps it out: name its pods in networkPolicy.clients`,
          },
        ]),
  ];
}

/** The way in by an Ingress; null when none is asked for. */
export function ingress(context: Context): KubeObject | null {
  const { cluster } = context;
  const { enabled, type, host, className, tls, annotations } = cluster.spec.ingress;
  if (!enabled || type !== 'Ingress') return null;
  const service = { name: childName(cluster, 'endpoint'), port: { name: 'http' } };
  const secretName = tls.secretName ?? `${cluster.metadata.name}-tls`;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: childMeta(context, 'endpoint', {
      annotations: { ...annotationsFor(context), ...annotations },
    }),
    spec: {
      ...(className !== undefined && { ingressClassName: className }),
      ...(tls.enabled && host !== undefined && { tls: [{ hosts: [host], secretName }] }),
      rules: [
        {
          ...(host !== undefined && { host }),
          http: { paths: [{ ...pathOf(context), backend: { service } }] },
        },
      ],
    },
  };
}

/** The way in by the Gateway API; null when none is asked for, or the API is not there. */
export function httpRoute(context: Context): KubeObject | null {
  const { cluster, observed } = context;
  const { enabled, type, host, path, parentRefs, annotations } = cluster.spec.ingress;
  if (!enabled || type !== 'HTTPRoute' || !observed.api.httpRoute) return null;
  const cut = {
    type: 'URLRewrite',
    urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
  };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: childMeta(context, 'endpoint', { annotations }),
    spec: {
      parentRefs,
      ...(host !== undefined && { hostnames: [host] }),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          ...(path !== '/' && { filters: [cut] }),
          // Without a limit for the whole answer: waits and event streams are not cut off.
          ...(observed.api.routeTimeouts && { timeouts: { request: '0s' } }),
          backendRefs: [{ name: childName(cluster, 'endpoint'), port: PORTS.http }],
        },
      ],
    },
  };
}

/** Where the service is reached: from outside where there is a name for it, otherwise inside the cluster. */
export function urlOf({ cluster, observed }: Context): string {
  const { enabled, type, host, path, tls } = cluster.spec.ingress;
  const { namespace } = cluster.metadata;
  if (enabled && host !== undefined && !host.startsWith('*')) {
    const scheme = type === 'Ingress' && tls.enabled ? 'https' : 'http';
    return `${scheme}://${host}${path === '/' ? '' : path}`;
  }
  const domain = observed.defaults.clusterDomain;
  return `http://${childName(cluster, 'endpoint')}.${namespace}.svc.${domain}:${PORTS.http}`;
}
