import type { KubeObject } from '../kube.ts';
import { childMeta, type Context } from './context.ts';
import { childName, PORTS } from './names.ts';

/** Beyond the longest wait that is granted, so that the endpoint answers first. */
const MARGIN_SECONDS = 30;

/** Annotations by controller: bodies pass through as they come, waits and event streams are not cut off. */
function annotationsFor({ cluster }: Context): Record<string, string> {
  const { ingress, limits } = cluster.spec;
  const className = ingress.className ?? 'nginx';
  const seconds = String(Math.max(60, limits.maxWaitSeconds) + MARGIN_SECONDS);
  if (className.includes('nginx')) {
    const prefix = 'nginx.ingress.kubernetes.io';
    return {
      [`${prefix}/proxy-body-size`]: String(limits.maxBodyBytes),
      [`${prefix}/proxy-request-buffering`]: 'off',
      [`${prefix}/proxy-buffering`]: 'off',
      [`${prefix}/proxy-read-timeout`]: seconds,
      [`${prefix}/proxy-send-timeout`]: seconds,
      ...(ingress.path !== '/' && {
        [`${prefix}/use-regex`]: 'true',
        [`${prefix}/rewrite-target`]: '/$2',
      }),
    };
  }
  return className.includes('haproxy') ? { 'haproxy.org/timeout-server': `${seconds}s` } : {};
}

function pathOf({ cluster }: Context): { path: string; pathType: string } {
  const { path, className = 'nginx' } = cluster.spec.ingress;
  if (path === '/' || !className.includes('nginx')) return { path, pathType: 'Prefix' };
  // The service knows nothing of the path: it is cut off on the way.
  return { path: `${path.replace(/\/$/, '')}(/|$)(.*)`, pathType: 'ImplementationSpecific' };
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
