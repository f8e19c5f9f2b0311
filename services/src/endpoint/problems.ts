/**
 * Every problem there is, with its status and its title. The slugs are part of the API: they never change their meaning.
 * Source: RFC 9457, Problem Details for HTTP APIs.
 */
export const PROBLEMS = {
  'malformed-request': [400, 'The request is not valid HTTP'],
  'malformed-json': [400, 'The body is not valid JSON'],
  'malformed-id': [400, 'This is not a job id'],
  forbidden: [403, 'This address may not use the service'],
  'not-found': [404, 'There is no such thing'],
  'unknown-path': [404, 'There is nothing at this path'],
  'method-not-allowed': [405, 'This method is not possible here'],
  'too-slow': [408, 'The request came too slowly'],
  'already-ended': [409, 'The job has ended already'],
  'too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'This type of body is not understood'],
  'expectation-failed': [417, 'The request expects what is not possible'],
  misdirected: [421, 'The service does not go by this name'],
  'invalid-request': [422, 'The request asks for something that is not possible'],
  'too-many-items': [422, 'The batch has too many items'],
  'rate-limited': [429, 'Too many requests'],
  'headers-too-large': [431, 'The headers are too large'],
  internal: [500, 'Something is broken in the service'],
  contradiction: [500, 'Two different digests are known for this job'],
  'not-implemented': [501, 'The service cannot do this'],
  overloaded: [503, 'The service has too much to do'],
  unavailable: [503, 'The service cannot reach its store'],
  draining: [503, 'This endpoint is stopping'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type ProblemSlug = keyof typeof PROBLEMS;

export const PROBLEM_TYPE_BASE = 'https://hashcluster.io/problems/';
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** What is wrong with one part of a request. `pointer` is a JSON Pointer as a URI fragment (RFC 6901 §6). */
export type FieldProblem =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly detail: string };

/** What went wrong, as a value. Headers go with the answer: `Allow`, `Retry-After` and the like. */
export interface Problem {
  readonly slug: ProblemSlug;
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;
}

interface ProblemExtras {
  readonly errors?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

const NONE: readonly FieldProblem[] = [];
const NO_HEADERS: Readonly<Record<string, string>> = {};

/** Seconds after which a refused client may come again. */
const RETRY_AFTER_SECONDS = '1';

/** A problem. Those with status 503 always say when to come again. */
export function problem(slug: ProblemSlug, detail: string, extras: ProblemExtras = {}): Problem {
  const retry = PROBLEMS[slug][0] === 503 ? { 'Retry-After': RETRY_AFTER_SECONDS } : NO_HEADERS;
  return {
    slug,
    detail,
    errors: extras.errors ?? NONE,
    headers: extras.headers ? { ...retry, ...extras.headers } : retry,
  };
}

/** One field or parameter that is wrong: its detail is the problem's. */
export function invalid(error: FieldProblem): Problem {
  return problem('invalid-request', error.detail, { errors: [error] });
}

/** The status a problem is answered with. */
export function statusOf(what: Problem): number {
  return PROBLEMS[what.slug][0];
}

/** The problem on the wire. `instance` is the path of the request, where the problem is an answer of its own. */
export function problemJson(what: Problem, instance?: string): string {
  const [status, title] = PROBLEMS[what.slug];
  return JSON.stringify({
    type: PROBLEM_TYPE_BASE + what.slug,
    title,
    status,
    detail: what.detail,
    ...(instance === undefined ? {} : { instance }),
    ...(what.errors.length === 0 ? {} : { errors: what.errors }),
  });
}

/** Thrown where a request cannot go on. It is answered with the problem it carries. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(what: Problem, cause?: unknown) {
    super(what.detail, cause === undefined ? undefined : { cause });
    this.problem = what;
  }
}

/** Throws it. */
export function refuse(slug: ProblemSlug, detail: string, extras?: ProblemExtras): never {
  throw new ProblemError(problem(slug, detail, extras));
}

/** The client went away in the middle. There is nobody to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/** What an error is to the client. Whatever is not meant for it becomes `internal`, without details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const status = (error as { status?: unknown } | null)?.status;
  if (status === 400) return problem('malformed-request', 'The path of the request cannot be decoded.');
  return problem('internal', 'The request could not be carried out. The logs say why.');
}
