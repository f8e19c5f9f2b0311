import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../../api/spec.ts';
import { clientPeers } from './ingress-controllers.ts';
import { httpRoute, ingress, ingressWarnings } from './ingress.ts';
import { contextOf } from './testing.ts';

type Ingress = NonNullable<ClusterSpecInput>['ingress'];

/** Namespaces of the peers, with a label of their pods where only some of them are let in. */
function peersFor(
  given: Ingress,
  networkPolicy: NonNullable<ClusterSpecInput>['networkPolicy'] = {},
): string[] {
  const { cluster } = contextOf({ ingress: { enabled: true, ...given }, networkPolicy });
  return clientPeers(cluster.spec, 'ns').map((peer) => {
    const { namespaceSelector, podSelector } = peer as Record<
      string,
      { matchLabels: Record<string, string> }
    >;
    const space = namespaceSelector!.matchLabels['kubernetes.io/metadata.name'];
    return [space, ...Object.values(podSelector?.matchLabels ?? {})].join('/');
  });
}

const HAPROXY = ['haproxy-controller', 'haproxy-ingress', 'ingress-controller'];
const NGINX = ['ingress-nginx', 'nginx-ingress'];
const TRAEFIK = ['traefik', 'kube-system/traefik'];
const GATEWAY: Ingress = {
  type: 'HTTPRoute',
  parentRefs: [{ name: 'g' }, { name: 'h', namespace: 'infra' }],
};

describe('the NetworkPolicy lets in the proxies', () => {
  test.each<[string, Ingress, readonly string[]]>([
    ['of nginx', { className: 'nginx-internal' }, NGINX],
    ['of Contour', { className: 'contour' }, ['projectcontour']],
    ['of Traefik', { className: 'traefik' }, TRAEFIK],
    ['of HAProxy', { className: 'haproxy' }, HAPROXY],
    ['of any known controller, without a class', {}, [...NGINX, 'projectcontour', ...TRAEFIK, ...HAPROXY]],
    ['of nginx, where the class is not known', { className: 'kong' }, ['ingress-nginx']],
    [
      'of its Gateways',
      GATEWAY,
      ['ns/g', 'infra/h', 'envoy-gateway-system', 'projectcontour', 'nginx-gateway', 'traefik'],
    ],
    ['of nginx, where no way in is asked for', { enabled: false, className: 'contour' }, ['ingress-nginx']],
  ])('%s', (_, given, expected) => {
    expect(peersFor(given)).toEqual(expected);
  });

  test('that the spec names, and no others', () => {
    const clients = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'mine' } } }];
    expect(peersFor({ className: 'contour' }, { clients })).toEqual(['mine']);
    expect(peersFor({ className: 'contour' }, { clients: [] })).toEqual([]);
  });
});

describe('an Ingress', () => {
  const made = (given: Ingress) => ingress(contextOf({ ingress: { enabled: true, ...given } }))!;

  test('has no time-out for answers at Contour', () => {
    expect(made({ className: 'contour' }).metadata.annotations).toEqual({
      'projectcontour.io/response-timeout': 'infinity',
    });
  });

  test('takes its path off at HAProxy', () => {
    const { metadata, spec } = made({ className: 'haproxy', path: '/hash/' });
    expect(metadata.annotations).toMatchObject({
      'haproxy.org/path-rewrite': String.raw`^/hash/?(.*) /\1`,
      'haproxy-ingress.github.io/rewrite-target': '/',
    });
    expect(spec).toHaveProperty(
      'rules.0.http.paths.0',
      expect.objectContaining({ path: '/hash/', pathType: 'Prefix' }),
    );
  });

  test('speaks to every known controller without a class', () => {
    expect(Object.keys(made({}).metadata.annotations!)).toEqual(
      expect.arrayContaining([
        'nginx.ingress.kubernetes.io/proxy-buffering',
        'projectcontour.io/response-timeout',
        'haproxy.org/timeout-server',
      ]),
    );
  });
});

test.each([true, false])(
  'an HTTPRoute has no time-out for answers where the API knows them: %s',
  (routeTimeouts) => {
    const api = { httpRoute: true, podMetrics: true, routeTimeouts };
    const route = httpRoute(contextOf({ ingress: { enabled: true, ...GATEWAY } }, { api }))!;
    const [rule] = (route['spec'] as { rules: { timeouts?: object }[] }).rules;
    expect(rule!.timeouts).toEqual(routeTimeouts ? { request: '0s' } : undefined);
  },
);

describe('what cannot work is warned of', () => {
  test.each<[string, Ingress, readonly string[]]>([
    ['a path at Contour', { className: 'contour', path: '/hash' }, ['IngressPathUnsupported']],
    ['a path at Traefik', { className: 'traefik', path: '/hash' }, ['IngressPathUnsupported']],
    [
      'a path and a class that is not known',
      { className: 'kong', path: '/hash' },
      ['IngressPathUnsupported', 'IngressControllerUnknown'],
    ],
    ['a class that is not known', { className: 'kong' }, ['IngressControllerUnknown']],
    [
      'not a path that an annotation takes off',
      {
        className: 'traefik',
        path: '/hash',
        annotations: { 'traefik.ingress.kubernetes.io/router.middlewares': 'a' },
      },
      [],
    ],
    ['not a path at nginx', { className: 'nginx', path: '/hash' }, []],
    ['not a path at HAProxy', { className: 'haproxy', path: '/hash' }, []],
    ['not a path of a Gateway', { ...GATEWAY, path: '/hash' }, []],
    ['not /', { className: 'contour' }, []],
    ['not an Ingress that nobody asks for', { enabled: false, className: 'contour', path: '/hash' }, []],
  ])('%s', (_, given, expected) => {
    const warnings = ingressWarnings(contextOf({ ingress: { enabled: true, ...given } }));
    expect(warnings.map(({ reason }) => reason)).toEqual(expected);
  });

  test('not a class whose controller the spec lets in', () => {
    const networkPolicy = { clients: [{ podSelector: {} }] };
    const spec = { ingress: { enabled: true, className: 'kong' }, networkPolicy };
    expect(ingressWarnings(contextOf(spec))).toEqual([]);
  });
});
