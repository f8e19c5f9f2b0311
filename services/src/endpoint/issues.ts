import { problem, type FieldProblem, type Problem } from './problems.ts';

/** The part of a zod issue that is used here. */
export interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

/** Where the checked value came from, which decides how its parts are named. */
export type Source = 'body' | 'query';

const MAX_ERRORS = 20;
const MAX_NAME = 64;

function clipped(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}

/** A JSON Pointer as a URI fragment. Source: RFC 6901 §3 and §6. */
function pointerOf(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => clipped(String(part)).replaceAll('~', '~0').replaceAll('/', '~1'));
  return `#${parts.map((part) => `/${encodeURIComponent(part.toWellFormed())}`).join('')}`;
}

function fieldProblem(source: Source, path: readonly PropertyKey[], detail: string): FieldProblem {
  if (source === 'body') return { pointer: pointerOf(path), detail };
  return { parameter: clipped(String(path[0] ?? '')), detail };
}

function expand(source: Source, issue: Issue): FieldProblem[] {
  if (!issue.keys) return [fieldProblem(source, issue.path, issue.message)];
  const what = source === 'body' ? 'field' : 'parameter';
  return issue.keys.map((key) =>
    fieldProblem(source, [...issue.path, key], `${JSON.stringify(clipped(key))} is not a ${what} known here`),
  );
}

function placeOf(error: FieldProblem): string {
  return 'pointer' in error ? error.pointer : error.parameter;
}

/** The problem that a refused value makes: each part that is wrong is named, once, with the first that is wrong with it. */
export function problemFromIssues(source: Source, issues: readonly Issue[]): Problem {
  const seen = new Set<string>();
  const errors: FieldProblem[] = [];
  for (const error of issues.flatMap((issue) => expand(source, issue))) {
    const place = placeOf(error);
    if (!seen.has(place)) errors.push(error);
    seen.add(place);
  }
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const detail = `${errors[0]?.detail ?? 'the value is not possible'}${rest}`;
  return problem('invalid-request', `${detail[0]!.toUpperCase()}${detail.slice(1)}.`, {
    errors: errors.slice(0, MAX_ERRORS),
  });
}
