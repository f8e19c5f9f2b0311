import type { z } from 'zod';
import { problemFromIssues } from '../issues.ts';
import { ProblemError } from '../problems.ts';

/** The parameters of a query; one that is repeated has its first two values: more would only be work. */
export type QueryValues = Record<string, string | string[]>;

/** The query of a request target, decoded as a form is. */
export function queryOf(url: string): QueryValues {
  const values: QueryValues = Object.create(null) as QueryValues;
  const at = url.indexOf('?');
  if (at === -1) return values;
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    const before = values[name];
    if (before === undefined) values[name] = value;
    else if (typeof before === 'string') values[name] = [before, value];
  }
  return values;
}

/** The query, checked. Throws `invalid-request`, naming each parameter that is wrong. */
export function checkedQuery<T extends z.ZodType>(url: string, schema: T): z.output<T> {
  const checked = schema.safeParse({ ...queryOf(url) });
  if (checked.success) return checked.data;
  throw new ProblemError(problemFromIssues('query', checked.error.issues));
}

/** Throws `invalid-request` when there is a query at all. */
export function checkNoQuery(url: string, none: z.ZodType): void {
  if (url.includes('?')) checkedQuery(url, none);
}
