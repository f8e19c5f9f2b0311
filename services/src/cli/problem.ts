import { asFields } from './api.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { printable, sentence } from './format.ts';
import type { Trouble } from './retry.ts';

/** Turns an answer that is no success into what the user is told. Pure. Source of the format: RFC 9457. */

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  readonly retryAfterMs: number | null;
}

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly detail: string | null;
  readonly details: readonly string[];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? printable(value) : null;
}

/** One error in a line; none when it only says what the problem's own detail says. */
function detailLine(error: unknown, said: string | null): string[] {
  const fields = asFields(error);
  const detail = textOf(fields?.['detail']);
  if (!fields || detail === null || detail === said) return [];
  const where = textOf(fields['pointer']) ?? textOf(fields['parameter']);
  return [where === null ? detail : `${where}: ${detail}`];
}

/** The problem in a body; null when the body is none. */
export function readProblem(contentType: string, body: string): Problem | null {
  if (!contentType.startsWith('application/problem+json')) return null;
  let fields: ReturnType<typeof asFields>;
  try {
    fields = asFields(JSON.parse(body));
  } catch {
    return null;
  }
  const title = textOf(fields?.['title']);
  if (!fields || title === null) return null;
  const detail = textOf(fields['detail']);
  const errors = Array.isArray(fields['errors']) ? fields['errors'] : [];
  return {
    type: textOf(fields['type']) ?? 'about:blank',
    title,
    detail,
    details: errors.flatMap((error) => detailLine(error, detail)),
  };
}

/** The last part of a problem's type, such as `already-ended`. */
function slugOf(problem: Problem | null): string {
  return problem?.type.split('/').at(-1) ?? '';
}

function exitCodeOf(status: number, problem: Problem | null): ExitCode {
  if (status === 404) return slugOf(problem) === 'not-found' ? EXIT.notFound : EXIT.unavailable;
  if (status < 500) return EXIT.refused;
  return status >= 502 && status <= 504 ? EXIT.unavailable : EXIT.internal;
}

const PASSING: readonly number[] = [429, 502, 503, 504];

/** An answer of the service that is no success. `slug` names the problem. */
export class ServiceError extends CliError {
  readonly status: number;
  readonly slug: string;

  constructor(answer: Answer, server: string) {
    const problem = readProblem(answer.contentType, answer.body);
    const said = problem
      ? [problem.title, problem.detail].filter((part) => part !== null).join(': ')
      : `${server} answered ${answer.status}, and not as HashCluster does. Is --server right?`;
    const slug = slugOf(problem);
    const hint = slug === 'unknown-path' ? [`Is --server right? It is ${server}.`] : [];
    super(exitCodeOf(answer.status, problem), sentence(said), [...(problem?.details ?? []), ...hint]);
    this.status = answer.status;
    this.slug = slug;
  }
}

/** What an answer means for the request. */
export function troubleOf(answer: Answer, server: string): Trouble {
  return {
    error: new ServiceError(answer, server),
    retryable: PASSING.includes(answer.status),
    afterMs: answer.retryAfterMs,
  };
}
