import { z } from 'zod';
import { DIGEST_PATTERN } from '../jobs/digest.ts';
import { JOB_ID_PATTERN } from '../jobs/id.ts';
import { base64Trouble } from './body/base64.ts';
import { iterationsTextTrouble, iterationsValueTrouble } from './parse-iterations.ts';
import { WORKER_STATES } from './work/workers-table.ts';

/** What depends on the settings. */
export interface SchemaLimits {
  readonly maxIterations: number;
  readonly maxBatchItems: number;
}

/** Whole groups of four characters, the last one padded. Source: RFC 4648 §4. */
const BASE64_PATTERN = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';

/** A client that takes it for 32 bits, or for a `float`, would lose what does not fit. */
const INT64 = { format: 'int64' } as const;
const double = () => z.number().meta({ format: 'double' });

/** The most that one page shows. */
export const MAX_PAGE = 1_000;
export const DEFAULT_PAGE = 50;

type Check = (value: string) => string | null;

/** A string of a query: there once, and passing the check. */
function queryText(name: string, check: Check): z.ZodString {
  return z
    .string({
      error: ({ input }) => (input === undefined ? `${name} is missing` : `${name} is given more than once`),
    })
    .superRefine((value, context) => {
      const message = check(value);
      if (message !== null) context.addIssue({ code: 'custom', message });
    });
}

function countTrouble(name: string): Check {
  return (text) => {
    const fits = /^[1-9][0-9]{0,3}$/.test(text) && Number(text) <= MAX_PAGE;
    return fits
      ? null
      : `${name} must be a whole number from 1 to ${MAX_PAGE}, not ${JSON.stringify(text.slice(0, 40))}`;
  };
}

function createItem(limits: SchemaLimits) {
  const sayIterations = ({ input }: { readonly input?: unknown }): string =>
    iterationsValueTrouble(input, limits.maxIterations) ?? 'iterations is not possible';
  const iterations = z
    .number({ error: sayIterations })
    .int({ error: sayIterations })
    .min(1, { error: sayIterations })
    .max(limits.maxIterations, { error: sayIterations })
    .meta({
      ...INT64,
      description: 'The position on the chain that is asked for.',
      example: 1_000_000,
    });
  const text = (name: string) => z.string({ error: `${name} must be a string` });
  const sources = ['data', 'dataBase64', 'digest'] as const;
  return z
    .strictObject(
      {
        data: text('data')
          .refine((value) => value.isWellFormed(), {
            error: 'data has a lone surrogate, which UTF-8 cannot express',
          })
          .meta({ description: 'The data, as text: its UTF-8 bytes are hashed.', example: 'hello' })
          .optional(),
        dataBase64: text('dataBase64')
          .superRefine((value, context) => {
            const message = base64Trouble(value);
            if (message !== null) context.addIssue({ code: 'custom', message: `dataBase64 ${message}` });
          })
          .meta({
            description: 'The data, as base64 (RFC 4648 §4, canonical).',
            contentEncoding: 'base64',
            pattern: BASE64_PATTERN,
          })
          .optional(),
        digest: text('digest')
          .regex(DIGEST_PATTERN, { error: 'digest must be 128 lower-case hexadecimal characters' })
          .meta({ description: 'A digest to go on from: position 1 of the chain.' })
          .optional(),
        iterations,
      },
      { error: 'an item must be a JSON object' },
    )
    .refine((item) => sources.filter((name) => item[name] !== undefined).length === 1, {
      error: 'exactly one of data, dataBase64 and digest must be given',
      when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
    });
}

/**
 * What can be submitted, as it is described: an object for each source of data, since code generators keep
 * no properties beside a `oneOf`. It says what the schema of an item takes.
 */
function describeSubmissions(item: ReturnType<typeof createItem>, maxBatchItems: number) {
  const { iterations, data, dataBase64, digest } = item.shape;
  const items = [
    z.strictObject({ data: data.unwrap(), iterations }).meta({ id: 'TextJobItem' }),
    z.strictObject({ dataBase64: dataBase64.unwrap(), iterations }).meta({ id: 'Base64JobItem' }),
    z.strictObject({ digest: digest.unwrap(), iterations }).meta({ id: 'DigestJobItem' }),
  ];
  const described = z.union(items).meta({ id: 'JobItem' });
  const batch = z.array(described).min(1).max(maxBatchItems).meta({ id: 'Batch' });
  // Named, because generators give an unnamed union no methods.
  return z.union([described, batch]).meta({ id: 'Submission' });
}

const digest = (description: string) => z.string().regex(DIGEST_PATTERN).meta({ description });
const instant = () => z.iso.datetime();

function createJob() {
  return z
    .strictObject({
      id: z.string().regex(JOB_ID_PATTERN),
      state: z.enum(['queued', 'running', 'done', 'cancelled', 'failed']),
      iterations: z.int().min(1).meta(INT64),
      position: z
        .int()
        .min(1)
        .meta({ ...INT64, description: 'How far the chain is known to be hashed.' }),
      progress: double().min(0).max(1),
      chain: digest('The digest at position 1.'),
      digest: digest('The digest asked for; null unless done.').nullable(),
      createdAt: instant(),
      startedAt: instant().nullable(),
      finishedAt: instant().nullable(),
      expiresAt: instant().nullable(),
      computed: z
        .int()
        .min(0)
        .nullable()
        .meta({ ...INT64, description: 'Iterations really computed for it, once it has ended.' }),
      reason: z.string().nullable().meta({ description: 'Why it failed.' }),
      worker: z.string().nullable(),
      rate: double().nullable().meta({ description: 'Iterations per second, when known.' }),
      etaSeconds: double().nullable().meta({ description: 'Seconds until it is done, when known.' }),
    })
    .meta({ id: 'Job' });
}

function createProblem() {
  const at = { detail: z.string() };
  return z
    .strictObject({
      type: z.url().meta({ description: 'Which problem it is; stable.' }),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      instance: z.string().optional(),
      errors: z
        .array(
          z.union([
            z.strictObject({ pointer: z.string(), ...at }),
            z.strictObject({ parameter: z.string(), ...at }),
          ]),
        )
        .optional(),
    })
    .meta({ id: 'Problem', description: 'Source: RFC 9457.' });
}

function createCluster() {
  const queued = z.strictObject({
    class: z.int().min(0).max(3),
    jobs: z.int(),
    iterations: double(),
    oldestSeconds: double().nullable(),
  });
  return z
    .strictObject({
      version: z.string(),
      mode: z.enum(['embedded', 'cluster']),
      endpoint: z.strictObject({ id: z.string(), startedAt: instant(), uptimeSeconds: double() }),
      workers: z.strictObject({ live: z.int(), draining: z.int() }),
      engines: z.int(),
      lanes: z.int(),
      freeLanes: z.int(),
      rate: double(),
      capacity: double(),
      backlog: z.strictObject({
        running: z.int(),
        queued: z.array(queued),
        seconds: double().nullable().meta({ description: 'Seconds of work; null while nobody can do it.' }),
      }),
      bus: z
        .strictObject({
          brokers: z.array(z.int()),
          disks: z.array(z.strictObject({ broker: z.int(), used: double(), total: double() })),
        })
        .nullable()
        .meta({
          description: 'The servers of the bus and their disks, in bytes; null while that is not known.',
        }),
      limits: z.strictObject({
        maxIterations: z.int().meta(INT64),
        maxBodyBytes: z.int().meta(INT64),
        maxBatchItems: z.int(),
        inlineIterations: z.int().meta(INT64),
      }),
    })
    .meta({ id: 'Cluster' });
}

function createWorker() {
  return z
    .strictObject({
      id: z.string(),
      host: z.string(),
      node: z.string().nullable(),
      state: z
        .enum(WORKER_STATES)
        .meta({ description: 'left: it has drained and ended; dead: it fell silent otherwise.' }),
      backend: z.string(),
      engines: z.int(),
      lanes: z.int(),
      freeLanes: z.int(),
      rate: double(),
      capacity: double(),
      jobs: z.int(),
      backlogSeconds: double(),
      cpu: double(),
      disk: z.strictObject({ free: double(), total: double() }).nullable(),
      startedAt: instant(),
      lastSeen: instant(),
      silentSeconds: double().meta({ description: 'Since its last heartbeat, whatever the clocks say.' }),
    })
    .meta({ id: 'Worker' });
}

function createQueries(limits: SchemaLimits) {
  const iterations = queryText('iterations', (text) =>
    iterationsTextTrouble(text, limits.maxIterations),
  ).meta({
    ...INT64,
    type: 'integer',
    minimum: 1,
    maximum: limits.maxIterations,
    description: 'The position on the chain that is asked for.',
  });
  const page = (name: string, description: string) =>
    queryText(name, countTrouble(name)).meta({ type: 'integer', minimum: 1, maximum: MAX_PAGE, description });
  const states = ['queued', 'running', 'done', 'cancelled', 'failed'] as const;
  return {
    none: z.strictObject({}),
    enqueue: z.strictObject({ iterations }),
    completed: z.strictObject({ top: page('top', 'How many results.') }),
    list: z.strictObject({
      state: z.enum(states, { error: `state must be one of ${states.join(', ')}, given once` }).optional(),
      cursor: queryText('cursor', (text) => (text === '' ? 'cursor is empty' : null))
        .meta({ description: 'What `next` of the page before said.', minLength: 1 })
        .optional(),
      limit: page('limit', `How many jobs; ${DEFAULT_PAGE} when not given.`).optional(),
    }),
  };
}

/** The value of an item that the schema has taken. */
export type ItemValue = z.output<ReturnType<typeof createItem>>;

/** `GET /v1/cluster`. */
export type ClusterBody = z.output<ReturnType<typeof createCluster>>;

/** One item of `GET /v1/workers`. */
export type WorkerBody = z.output<ReturnType<typeof createWorker>>;

/** Every schema of the API. */
export interface Schemas {
  readonly item: ReturnType<typeof createItem>;
  /** An item or a batch, as the body of `POST /v1/jobs` is described. */
  readonly submission: z.ZodType;
  readonly job: z.ZodType;
  readonly itemAnswer: z.ZodType;
  readonly batchAnswer: z.ZodType;
  /** A job or the answers to a batch. */
  readonly submissionAnswer: z.ZodType;
  readonly completed: z.ZodType;
  readonly page: z.ZodType;
  readonly cluster: z.ZodType;
  readonly workers: z.ZodType;
  readonly index: z.ZodType;
  readonly problem: z.ZodType;
  readonly jobId: z.ZodType;
  readonly queries: ReturnType<typeof createQueries>;
}

/** The same schemas refuse bad requests and describe the API in `/openapi.json`. */
export function createSchemas(limits: SchemaLimits): Schemas {
  const item = createItem(limits);
  const job = createJob();
  const problem = createProblem();
  const itemAnswer = z
    .union([z.strictObject({ status: z.int(), job }), z.strictObject({ status: z.int(), problem })])
    .meta({ id: 'ItemAnswer' });
  const batchAnswer = z.strictObject({ items: z.array(itemAnswer) }).meta({ id: 'BatchAnswer' });
  return {
    item,
    submission: describeSubmissions(item, limits.maxBatchItems),
    job,
    itemAnswer,
    batchAnswer,
    submissionAnswer: z.union([job, batchAnswer]).meta({ id: 'SubmissionAnswer' }),
    completed: z.strictObject({ items: z.array(job) }).meta({ id: 'Completed' }),
    page: z.strictObject({ items: z.array(job), next: z.string().nullable() }).meta({ id: 'JobPage' }),
    cluster: createCluster(),
    workers: z.strictObject({ items: z.array(createWorker()) }).meta({ id: 'Workers' }),
    index: z.strictObject({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) }),
    problem,
    jobId: z.string().regex(JOB_ID_PATTERN),
    queries: createQueries(limits),
  };
}
