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

/** An unknown key of the value. */
function unknownKey(source: Source, path: readonly PropertyKey[], key: string): FieldProblem {
  const what = source === 'body' ? 'field' : 'parameter';
  return fieldProblem(source, [...path, key], `${JSON.stringify(clipped(key))} is not a ${what} known here`);
}

function placeOf(error: FieldProblem): string {
  return 'pointer' in error ? error.pointer : error.parameter;
}

/**
 * The problem that a refused value makes: each part that is wrong is named, once, with the first that is wrong with it.
 * What is beyond the number of errors that are shown is only counted.
 */
export function problemFromIssues(source: Source, issues: readonly Issue[]): Problem {
  const shown = new Map<string, FieldProblem>();
  let counted = 0;
  const add = (error: FieldProblem): void => {
    const place = placeOf(error);
    if (shown.has(place)) return;
    counted++;
    if (shown.size < MAX_ERRORS) shown.set(place, error);
  };
  for (const { path, message, keys } of issues) {
    if (!keys) {
      add(fieldProblem(source, path, message));
      continue;
    }
    const room = MAX_ERRORS - shown.size;
    for (const key of keys.slice(0, room)) add(unknownKey(source, path, key));
    counted += Math.max(0, keys.length - room);
  }
  const errors = [...shown.values()];
  const rest = counted > 1 ? ` (and ${counted - 1} more)` : '';
  const detail = `${errors[0]?.detail ?? 'the value is not possible'}${rest}`;
  return problem('invalid-request', `${detail[0]!.toUpperCase()}${detail.slice(1)}.`, { errors });
}
