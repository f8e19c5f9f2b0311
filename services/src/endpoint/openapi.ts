import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE, PROBLEM_TYPE_BASE, PROBLEMS, type ProblemSlug } from './problems.ts';
import type { Schemas } from './schemas.ts';
import type { EndpointSettings } from './settings.ts';

type Responses = RouteConfig['responses'];

const LOCATION = z.object({ Location: z.string().meta({ description: 'Where the job is.' }) });
const preferHeader = z.object({
  prefer: z.string().optional().meta({
    description: 'wait=SECONDS holds the answer until the job has ended. Source: RFC 7240.',
    example: 'wait=30',
  }),
});

/** Problems any route may be answered with. */
const ALWAYS: readonly ProblemSlug[] = [
  'malformed-request',
  'misdirected',
  'too-slow',
  'rate-limited',
  'internal',
  'not-implemented',
  'overloaded',
];
const STORE: readonly ProblemSlug[] = ['unavailable'];

function problems(schemas: Schemas, slugs: readonly ProblemSlug[]): Responses {
  const byStatus = Map.groupBy([...slugs, ...ALWAYS], (slug) => PROBLEMS[slug][0]);
  const content = { [PROBLEM_MEDIA_TYPE]: { schema: schemas.problem } };
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const lines = [...new Set(group)].map(
        (slug) => `${PROBLEMS[slug][1]} (\`${PROBLEM_TYPE_BASE}${slug}\`).`,
      );
      return [status, { description: lines.join(' '), content }];
    }),
  );
}

function json(schema: z.ZodType, description: string, headers?: z.ZodObject): Responses[string] {
  const content = { 'application/json': { schema } };
  return headers ? { description, content, headers } : { description, content };
}

function submitRoutes(schemas: Schemas): RouteConfig[] {
  const { submission, job, submissionAnswer, queries } = schemas;
  const single = {
    200: json(job, 'The result is known.', LOCATION),
    202: json(job, 'The job waits or runs.', LOCATION),
  };
  const lines = z.string().meta({ description: 'NDJSON: an ItemAnswer per line, in order.' });
  return [
    {
      method: 'post',
      path: '/v1/jobs',
      operationId: 'submitJobs',
      tags: ['jobs'],
      summary: 'Submit one job, or a batch',
      description:
        'Equal jobs are one job: submitting again is safe and answers with what is known. A batch is answered item by item, in order; a bad item fails alone.',
      request: {
        headers: preferHeader,
        body: {
          required: true,
          content: {
            'application/json': { schema: submission },
            'application/x-ndjson': { schema: z.string().meta({ description: 'A JobItem per line.' }) },
          },
        },
      },
      responses: {
        200: {
          description: 'One job: its result is known. A batch: an answer per item.',
          content: {
            'application/json': { schema: submissionAnswer },
            'application/x-ndjson': { schema: lines },
          },
        },
        202: single[202],
        ...problems(schemas, [
          ...(['malformed-json', 'too-large', 'unsupported-media-type', 'invalid-request'] as const),
          ...(['too-many-items', 'contradiction', ...STORE] as const),
        ]),
      },
    },
    {
      method: 'put',
      path: '/enqueue',
      operationId: 'enqueue',
      tags: ['jobs'],
      summary: 'Submit a job whose data is the body',
      description: 'The body may be of any type. It is hashed while it streams in, and never stored.',
      request: {
        headers: preferHeader,
        query: queries.enqueue,
        body: {
          description: 'The data; without a body, the empty data.',
          required: false,
          content: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } },
        },
      },
      responses: {
        ...single,
        ...problems(schemas, [
          'too-large',
          'unsupported-media-type',
          'invalid-request',
          'contradiction',
          ...STORE,
        ]),
      },
    },
  ];
}

function jobRoutes(schemas: Schemas): RouteConfig[] {
  const { job, jobId, page, completed, queries } = schemas;
  const params = z.object({ id: jobId });
  const lastEventId = z.object({
    'last-event-id': z.string().optional().meta({ description: 'The id seen last: a position, or `end`.' }),
  });
  const events = z.string().meta({
    description:
      'Events `state`, `progress` and `end`; the id is the position (`end` at the end), the data a Job.',
  });
  return [
    {
      ...{ method: 'get', path: '/v1/jobs/{id}', operationId: 'getJob', summary: 'A job as it stands' },
      description: 'With `Prefer: wait`, answers when the job has ended, or when the time is over.',
      tags: ['jobs'],
      request: { params, headers: preferHeader },
      responses: {
        200: json(job, 'The job.'),
        ...problems(schemas, ['malformed-id', 'not-found', ...STORE]),
      },
    },
    {
      ...{ method: 'delete', path: '/v1/jobs/{id}', operationId: 'cancelJob', summary: 'Cancel a job' },
      description:
        'Another worker or client may end the job first: then the answer is 409. Submitting the job again queues it again.',
      tags: ['jobs'],
      request: { params },
      responses: {
        200: json(job, 'The job is cancelled.'),
        ...problems(schemas, ['malformed-id', 'not-found', 'already-ended', ...STORE]),
      },
    },
    {
      ...{ method: 'get', path: '/v1/jobs/{id}/events', operationId: 'followJob', summary: 'Follow a job' },
      description: 'Server-sent events until the job has ended. `Last-Event-ID` goes on from there.',
      tags: ['jobs'],
      request: { params, headers: lastEventId },
      responses: {
        200: { description: 'The events.', content: { 'text/event-stream': { schema: events } } },
        204: { description: 'Nothing is left to tell.' },
        ...problems(schemas, ['malformed-id', 'not-found', ...STORE]),
      },
    },
    {
      ...{ method: 'get', path: '/v1/jobs', operationId: 'listJobs' },
      summary: 'List jobs: live ones, then results, the newest first',
      description:
        'Page by page: `next` of a page is the `cursor` of the following one. A job that ends between two pages of all states is shown once; lists of different states are apart.',
      tags: ['jobs'],
      request: { query: queries.list },
      responses: { 200: json(page, 'A page.'), ...problems(schemas, ['invalid-request', ...STORE]) },
    },
    {
      ...{
        method: 'post',
        path: '/pullCompleted',
        operationId: 'pullCompleted',
        summary: 'The newest results',
      },
      description: 'The results that were finished last, the newest first.',
      tags: ['jobs'],
      request: { query: queries.completed },
      responses: {
        200: json(completed, 'The results.'),
        ...problems(schemas, ['invalid-request', ...STORE]),
      },
    },
  ];
}

function aboutRoutes(schemas: Schemas): RouteConfig[] {
  return [
    {
      ...{ method: 'get', path: '/v1/cluster', operationId: 'getCluster', summary: 'The cluster as a whole' },
      description: 'Rate, backlog, limits, and how full the disks of Kafka are.',
      tags: ['cluster'],
      responses: { 200: json(schemas.cluster, 'The cluster.'), ...problems(schemas, STORE) },
    },
    {
      ...{ method: 'get', path: '/v1/workers', operationId: 'listWorkers' },
      summary: 'The workers, by their heartbeats at this endpoint',
      description: 'Every endpoint keeps a table of its own.',
      tags: ['cluster'],
      responses: { 200: json(schemas.workers, 'The workers.'), ...problems(schemas, []) },
    },
    {
      ...{ method: 'get', path: '/', operationId: 'getIndex', summary: 'What this is' },
      description: 'The name, the version, and where everything is.',
      tags: ['cluster'],
      responses: { 200: json(schemas.index, 'An index.'), ...problems(schemas, []) },
    },
  ];
}

/** The API as OpenAPI 3.1, made from the schemas that check requests. */
export function openApiDocument(schemas: Schemas, settings: Pick<EndpointSettings, 'version'>): object {
  const registry = new OpenAPIRegistry();
  for (const route of [...submitRoutes(schemas), ...jobRoutes(schemas), ...aboutRoutes(schemas)])
    registry.registerPath(route);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'HashCluster',
      version: settings.version,
      description:
        'Iterated SHA-512: a job is named by its data and its iterations, and equal jobs are one job.',
      contact: { name: 'HashCluster', url: 'https://hashcluster.io' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The service that this document comes from.' }],
    tags: [
      { name: 'jobs', description: 'Submit, read, follow and cancel jobs.' },
      { name: 'cluster', description: 'How the service is doing.' },
    ],
    // Whoever reaches the service may use it.
    security: [],
  });
}
