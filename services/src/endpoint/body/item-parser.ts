import { isUtf8 } from 'node:buffer';
import { chainOf } from '../../jobs/digest.ts';
import { jobFacts } from '../../jobs/id.ts';
import type { Digest, JobFacts } from '../../jobs/job.ts';
import { problemFromIssues, type Issue } from '../issues.ts';
import { invalid, problem, type Problem } from '../problems.ts';
import type { ItemValue, Schemas } from '../schemas.ts';
import { isWhole, iterationsSource } from './exact-iterations.ts';
import type { Shape } from './json-scan.ts';
import { repeatedKey } from './repeated-key.ts';

/** A job that is asked for, or why it cannot be. */
export type ParsedItem = JobFacts | Problem;

/** Data that was hashed while it streamed in; in the text of its item it is empty. */
export interface StreamedData {
  readonly data?: Digest;
  readonly dataBase64?: Digest;
  /** What is wrong with it as base64. */
  readonly base64Trouble?: string | null;
}

const NOT_STREAMED: StreamedData = {};

/** An item has one level and three values at most. More than this is not even parsed: it would be work for nothing. */
const MAX_DEPTH = 8;
const MAX_VALUES = 64;
/** How much of a number is shown to its sender. */
const MAX_SOURCE = 40;

/** What a text became, before it is checked. */
interface Parsed {
  readonly value: unknown;
  readonly shape: Shape;
  readonly streamed: StreamedData;
}

/** Tells the two kinds of parsed items apart. */
export function isProblem(item: object): item is Problem {
  return 'slug' in item;
}

/** What is wrong with an item that is nested too deeply, or has too many values; null when nothing is. */
export function shapeProblem({ depth, values }: Shape): Problem | null {
  if (depth > MAX_DEPTH)
    return invalid({ pointer: '#', detail: `The item is nested deeper than ${MAX_DEPTH} levels.` });
  if (values > MAX_VALUES)
    return invalid({ pointer: '#', detail: `The item has more than ${MAX_VALUES} values.` });
  return null;
}

/** Turns the text of one item into the job it asks for. */
export class ItemParser {
  readonly #item: Schemas['item'];
  readonly #maxIterations: number;

  constructor(item: Schemas['item'], maxIterations: number) {
    this.#item = item;
    this.#maxIterations = maxIterations;
  }

  /** `shape` is what a scan of `text` saw. Never throws: what is wrong is the answer. */
  parse(tenant: string, text: Buffer, shape: Shape, streamed = NOT_STREAMED): ParsedItem {
    const tooMuch = shapeProblem(shape);
    if (tooMuch !== null) return tooMuch;
    if (!isUtf8(text)) return problem('malformed-json', 'The text is not valid UTF-8.');
    let value: unknown;
    const decoded = text.toString();
    try {
      value = JSON.parse(decoded);
    } catch (error) {
      return problem('malformed-json', `${(error as Error).message}.`);
    }
    const job =
      this.#simple(tenant, value, shape, streamed) ??
      this.#checked(tenant, decoded, { value, shape, streamed });
    return isProblem(job) ? job : (roundedProblem(decoded) ?? job);
  }

  /** What most items are: `data` and `iterations`, both possible. Takes nothing that the schema would refuse. */
  #simple(tenant: string, value: unknown, shape: Shape, streamed: StreamedData): JobFacts | null {
    if (shape.keys !== 2 || typeof value !== 'object' || value === null) return null;
    const { data, iterations } = value as { data?: unknown; iterations?: unknown };
    if (typeof data !== 'string' || typeof iterations !== 'number') return null;
    if (!Number.isInteger(iterations) || iterations < 1 || iterations > this.#maxIterations) return null;
    return data.isWellFormed() ? jobFacts(tenant, streamed.data ?? chainOf(data), iterations) : null;
  }

  #checked(tenant: string, text: string, { value, shape, streamed }: Parsed): ParsedItem {
    const checked = this.#item.safeParse(value);
    const issues: Issue[] = checked.success ? [] : [...checked.error.issues];
    const { base64Trouble: trouble = null } = streamed;
    if (trouble !== null) issues.push({ path: ['dataBase64'], message: `dataBase64 ${trouble}` });
    if (!checked.success || issues.length > 0) return problemFromIssues('body', issues);
    if (shape.keys !== Object.keys(value as object).length) {
      const key = repeatedKey(text) ?? '';
      return invalid({ pointer: `#/${key}`, detail: `${JSON.stringify(key)} is given more than once.` });
    }
    return jobFacts(tenant, chainOfItem(checked.data, streamed), checked.data.iterations);
  }
}

/** What a double does not show of `iterations` as it is written: that it was not whole. */
function roundedProblem(text: string): Problem | null {
  const source = iterationsSource(text);
  if (source === null || isWhole(source)) return null;
  const detail = `iterations must be a whole number, not ${source.slice(0, MAX_SOURCE)}`;
  return invalid({ pointer: '#/iterations', detail });
}

function chainOfItem({ data, dataBase64, digest }: ItemValue, streamed: StreamedData): Digest {
  if (data !== undefined) return streamed.data ?? chainOf(data);
  return digest ?? streamed.dataBase64 ?? chainOf(Buffer.from(dataBase64!, 'base64'));
}
