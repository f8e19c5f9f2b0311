import { z } from 'zod';
import { about, count, name, raw, text, texts } from './schema-kit.ts';

export type HealingSpec = z.output<typeof HEALING_SPEC>;

const HOST_PATTERN = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const parent = z.object({
  name: name('The name of the Gateway.'),
  namespace: name('Its namespace.').optional(),
  sectionName: name('The name of its listener.').optional(),
});

/** How the outside comes in. */
export const INGRESS_SPEC = z
  .object({
    enabled: z.boolean().default(false).meta(about('Whether there is a way in from outside.')),
    type: z
      .enum(['Ingress', 'HTTPRoute'])
      .default('Ingress')
      .meta(about('Ingress, or HTTPRoute of the Gateway API.')),
    host: text('The name under which the service is reached.', 253, HOST_PATTERN).optional(),
    className: name('The IngressClass; without it, the default one.').optional(),
    path: text(
      'The path under which the service is reached. Other than / it takes a controller that takes it off: nginx, HAProxy, or a Gateway.',
      256,
      /^\/[\w./-]*$/,
    ).default('/'),
    annotations: texts('Annotations; stronger than those of the operator.', 4096)
      .meta({
        ...about(
          'Annotations; stronger than those of the operator. Those that put text into the controller’s configuration are refused.',
          {
            rule: "self.all(key, !key.endsWith('-snippet') && !key.endsWith('-snippets') && !key.contains('/config-'))",
            message: 'annotations with configuration of the ingress controller (snippets) cannot be given',
          },
        ),
        maxProperties: 64,
      })
      .default({}),
    tls: z
      .object({
        enabled: z.boolean().default(false).meta(about('Whether TLS ends at the Ingress.')),
        secretName: name('The Secret with the certificate; `<name>-tls` without it.').optional(),
      })
      .prefault({})
      .meta(about('TLS of the Ingress. For an HTTPRoute, TLS is a matter of the Gateway.')),
    parentRefs: z.array(parent).max(8).default([]).meta(about('The Gateways that an HTTPRoute belongs to.')),
    trustProxyHops: count('How many proxies stand in front of the endpoints.', 0, 16).default(1),
  })
  .prefault({})
  .meta(
    about(
      'How the service is reached from outside.',
      {
        rule: "!self.enabled || self.type != 'HTTPRoute' || size(self.parentRefs) > 0",
        message: 'an HTTPRoute needs parentRefs',
      },
      {
        rule: '!self.enabled || !self.tls.enabled || has(self.host)',
        message: 'TLS needs a host',
      },
    ),
  );

const peers = (description: string, standard: readonly Record<string, unknown>[]) =>
  z
    .array(raw('A peer, as of a NetworkPolicy.'))
    .max(16)
    .default([...standard])
    .meta(about(description));
const namespace = (label: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': label } },
});

/** Stands for the proxies of the way in, whatever controller they belong to. */
export const DEFAULT_CLIENTS: readonly Readonly<Record<string, unknown>>[] = [namespace('ingress-nginx')];

/** Who may speak with whom. */
export const NETWORK_POLICY_SPEC = z
  .object({
    enabled: z
      .boolean()
      .default(true)
      .meta(
        about('Whether everything is closed that is not needed. Takes a network plug-in that enforces it.'),
      ),
    clients: peers(
      'Who reaches the endpoints’ port 5000. The default stands for the proxies of `ingress`: of nginx, Contour, Traefik or HAProxy by className, or of the Gateways.',
      DEFAULT_CLIENTS,
    ),
    monitoring: peers('Who reaches the metrics on port 9090.', [namespace('monitoring')]),
    dns: peers('Who answers DNS on port 53.', [
      namespace('kube-system'),
      { ipBlock: { cidr: '169.254.20.10/32' } },
    ]),
    telemetry: peers('Where `monitoring.otlp.endpoint` is.', []),
  })
  .prefault({})
  .meta(about('NetworkPolicies: closed both ways, but for what is needed.'));

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** What clients may ask for. */
export const LIMITS_SPEC = z
  .object({
    maxIterations: count('The largest position that may be asked for.', 1, Number.MAX_SAFE_INTEGER).default(
      Number.MAX_SAFE_INTEGER,
    ),
    inlineIterations: count(
      'Jobs with so few iterations left are hashed by the endpoint itself.',
      0,
      1_000_000,
    ).default(2_000),
    maxBodyBytes: count('The largest body.', 1, 1024 * GIB).default(GIB),
    maxDocumentBytes: count('The largest JSON document.', 1, 256 * MIB).default(64 * MIB),
    maxHeldBytes: count('All that requests may hold in memory of one endpoint.', 1, 1024 * GIB).default(
      512 * MIB,
    ),
    maxConnections: count('Connections to one endpoint.', 1, 1_000_000).default(10_000),
    maxWaitSeconds: count('How long a request may wait for a result.', 0, 3600).default(60),
    allowedClients: z
      .array(text('A range, such as 10.0.0.0/8 or 2001:db8::/32.', 43, /^[0-9a-fA-F.:]+\/[0-9]{1,3}$/))
      .max(64)
      .default([])
      .meta(
        about('Ranges of addresses that may use the service, by the client’s own address; none: all.', {
          rule: 'self.all(range, isCIDR(range))',
          message: 'allowedClients must be ranges such as 10.0.0.0/8',
        }),
      ),
    rate: z
      .object({
        windowSeconds: count('The window.', 1, 3600).default(10),
        perAddress: count('Requests of one address within the window.', 1, 1_000_000_000).default(20_000),
        total: count('Requests of all within the window, to one endpoint.', 1, 1_000_000_000).default(
          100_000,
        ),
      })
      .prefault({})
      .meta(about('How many requests are taken.')),
  })
  .prefault({})
  .meta(
    about('What clients may ask for.', {
      rule: 'self.maxHeldBytes >= self.maxDocumentBytes',
      message: 'maxHeldBytes must be at least maxDocumentBytes',
    }),
  );

/** Where logs, traces and metrics go. */
export const MONITORING_SPEC = z
  .object({
    otlp: z
      .object({
        endpoint: text('The collector, such as http://collector.monitoring:4318', 512, /^https?:\/\/[^\s]+$/),
        protocol: z
          .enum(['http/protobuf', 'http/json', 'grpc'])
          .default('http/protobuf')
          .meta(about('The protocol.')),
        signals: z
          .array(z.enum(['traces', 'metrics', 'logs']))
          .min(1)
          .max(3)
          .default(['traces', 'metrics', 'logs'])
          .meta({ ...about('What is sent.'), 'x-kubernetes-list-type': 'set' }),
      })
      .optional()
      .meta(about('An OpenTelemetry collector. Metrics for Prometheus are on port 9090 in any case.')),
    scrape: z
      .boolean()
      .default(true)
      .meta(about('Whether pods carry the annotations prometheus.io/scrape, port and path.')),
  })
  .prefault({})
  .meta(about('Where traces, metrics and logs go.'));

/** When pods are replaced. */
export const HEALING_SPEC = z
  .object({
    enabled: z.boolean().default(true).meta(about('Whether pods are replaced that do not recover.')),
    maxConcurrent: count('How many pods may be under replacement at once.', 1, 10).default(1),
    budget: z
      .object({
        evictions: count('How many pods may be replaced within the period.', 1, 100).default(5),
        periodSeconds: count('The period.', 60, 86_400).default(600),
      })
      .prefault({})
      .meta(about('How many pods may be replaced within a time.')),
    maxUnhealthyPercent: count(
      'With more pods of a kind ill than this, nothing is replaced: what ails them is not theirs.',
      1,
      100,
    ).default(40),
    unreadySeconds: count('A pod that is not ready for so long is replaced.', 30, 86_400).default(180),
    startSeconds: count('A pod that has not started for so long is replaced.', 60, 86_400).default(600),
    silentSeconds: count('A worker that no endpoint hears for so long is replaced.', 15, 86_400).default(60),
    diskPercent: count(
      'A pod is replaced when the disk is this full that everything temporary is on.',
      50,
      100,
    ).default(95),
    backoff: z
      .object({
        baseSeconds: count('After the first replacement.', 1, 3600).default(30),
        maxSeconds: count('The longest.', 1, 86_400).default(600),
      })
      .prefault({})
      .meta(
        about('How long to wait before the next replacement, doubled each time.', {
          rule: 'self.baseSeconds <= self.maxSeconds',
          message: 'baseSeconds must not be larger than maxSeconds',
        }),
      ),
  })
  .prefault({})
  .meta(about('When pods are replaced.'));
