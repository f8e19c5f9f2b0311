import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProblemError, type Problem } from '../problems.ts';
import { createSchemas } from '../schemas.ts';
import { DocumentSink } from './document-sink.ts';
import { HeldBytes } from './held-bytes.ts';
import { ItemCollector } from './item-collector.ts';
import { ItemParser, type ParsedItem } from './item-parser.ts';
import { LinesSink } from './lines-sink.ts';
import { LongItem } from './long-item.ts';
import type { BodySink } from './read-body.ts';

const LIMITS = { maxItemBytes: 300, maxItems: 5 };
const { item } = createSchemas({ maxIterations: 1e6, maxBatchItems: 5 });
const parser = new ItemParser(item, 1e6);

interface Read {
  readonly items: readonly ParsedItem[];
  readonly batch: boolean;
}

function setup(limits = LIMITS) {
  const held = new HeldBytes(1e6);
  const collector = (): ItemCollector =>
    new ItemCollector((text, shape) => parser.parse('default', text, shape), limits, held.holder());
  return { held, collector };
}

function feed(sink: BodySink, text: Buffer, size: number): void {
  for (let i = 0; i < text.length; i += size) {
    const piece = text.subarray(i, i + size);
    for (let at = 0; at < piece.length;) at += sink.write(piece.subarray(at));
  }
}

function readDocument(text: string, size = Infinity): Read {
  const { collector } = setup();
  const [single, elements] = [collector(), collector()];
  const beginLong = (): LongItem => new LongItem(parser);
  const endLong = (item: LongItem): ParsedItem => item.end('default');
  const sink = new DocumentSink({ held: single, beginLong, endLong }, elements);
  feed(sink, Buffer.from(text), Math.min(size, 1e9));
  return sink.end();
}

function readLines(text: string, size = Infinity): readonly ParsedItem[] {
  const lines = setup().collector();
  const sink = new LinesSink(lines);
  feed(sink, Buffer.from(text), Math.min(size, 1e9));
  sink.end();
  return lines.items;
}

function refusal(read: () => unknown): Problem {
  try {
    read();
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error('it was taken');
}

const good = (data: string): string => JSON.stringify({ data, iterations: 3 });
const batches = fc.array(fc.string({ maxLength: 40 }).map(good), { minLength: 1, maxLength: 5 });

describe('a JSON document', () => {
  test('gives the same items in whatever chunks it comes', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 50 }), (items, size) => {
        const text = ` [ ${items.join(' ,\n')} ] \n`;
        expect(readDocument(text, size)).toEqual({
          batch: true,
          items: items.map((one) => readDocument(one).items[0]),
        });
      }),
    );
  });

  test('may be one item, with blanks around', () => {
    expect(readDocument(` \n${good('a')}\t`, 1)).toEqual({
      batch: false,
      items: readDocument(good('a')).items,
    });
  });

  test.each([
    ['', 'malformed-json', 'empty'],
    [' \n', 'malformed-json', 'empty'],
    ['{"data"', 'malformed-json', 'JSON'],
    ['hello', 'malformed-json', 'JSON'],
    ['{} {}', 'malformed-json', 'JSON'],
    [`[${good('a')}`, 'malformed-json', 'not closed'],
    [`[${good('a')}]]`, 'malformed-json', 'follows the end'],
    [`[${good('a')},]`, 'malformed-json', 'missing before byte'],
    [`[,${good('a')}]`, 'malformed-json', 'missing before byte 1'],
    [`[${good('a')}}`, 'malformed-json', 'Unexpected "}"'],
    [`[${good('a')} ${good('b')}]`, 'malformed-json', 'Element 0'],
    [`[${good('a')},nope]`, 'malformed-json', 'Element 1'],
    ['['.repeat(100_000), 'malformed-json', 'not closed'],
    ['[]', 'invalid-request', 'no items'],
    ['5', 'invalid-request', 'JSON object'],
    ['"text"', 'invalid-request', 'JSON object'],
    [`[${Array.from({ length: 6 }, () => good('a')).join(',')}]`, 'too-many-items', 'at most 5'],
  ])('%.40s is refused as %s', (text, slug, detail) => {
    for (const size of [1, 7, 1e6]) {
      const problem = refusal(() => readDocument(text, size));
      expect(problem.slug).toBe(slug);
      expect(problem.detail).toContain(detail);
    }
  });

  test('of which an element is no possible item, takes the others', () => {
    const { items } = readDocument(
      `[${good('a')},5,{"data":"x"},${'['.repeat(20)}${']'.repeat(20)},${good('b')}]`,
      3,
    );
    expect(items.map((one) => ('slug' in one ? one.slug : 'job'))).toEqual([
      ...['job', 'invalid-request', 'invalid-request', 'invalid-request', 'job'],
    ]);
  });
});

describe('NDJSON', () => {
  test('gives the same items in whatever chunks it comes, with or without a last line feed', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 50 }), fc.boolean(), (items, size, ended) => {
        const text = items.join('\n') + (ended ? '\n' : '');
        expect(readLines(text, size)).toEqual(items.map((one) => readDocument(one).items[0]));
      }),
    );
  });

  test('may have blank lines and carriage returns', () => {
    expect(readLines(`\r\n${good('a')}\r\n\n  \n${good('b')}\r\n`)).toEqual(
      readLines(`${good('a')}\n${good('b')}`),
    );
  });

  test('of which a line is bad or too long, takes the others', () => {
    const long = good('x'.repeat(400));
    for (const size of [1, 64, 1e6]) {
      const items = readLines([good('a'), '{"data":', long, good('b')].join('\n'), size);
      const kinds = items.map((one) => ('slug' in one ? one.slug : 'job'));
      expect(kinds).toEqual(['job', 'malformed-json', 'too-large', 'job']);
    }
  });

  test('without an item is refused', () => {
    expect(refusal(() => readLines('\n \n')).slug).toBe('invalid-request');
  });

  test('is refused at the first item too many', () => {
    const text = Array.from({ length: 6 }, () => good('a')).join('\n');
    expect(refusal(() => readLines(text)).slug).toBe('too-many-items');
  });
});

describe('a batch of many small items', () => {
  const items = (sink: BodySink, text: string, count: () => number): number[] => {
    const counts: number[] = [];
    const whole = Buffer.from(text);
    for (let at = 0; at < whole.length;) {
      at += sink.write(whole.subarray(at));
      counts.push(count());
    }
    return counts;
  };

  test('as NDJSON is taken item by item, so that a slice can end after each', () => {
    const lines = setup().collector();
    expect(items(new LinesSink(lines), '{}\n'.repeat(4), () => lines.items.length)).toEqual([1, 2, 3, 4]);
  });

  test('as an array is taken item by item, so that a slice can end after each', () => {
    const { collector } = setup();
    const [held, elements] = [collector(), collector()];
    const single = { held, beginLong: () => new LongItem(parser), endLong: (one: LongItem) => one.end('x') };
    const counts = items(new DocumentSink(single, elements), '[{},{},{},{}]', () => elements.items.length);
    expect(counts).toEqual([1, 2, 3, 4]);
  });
});

describe('what is held in memory', () => {
  test('is the item that is on its way, and nothing of what has been parsed but its share', () => {
    const { held, collector } = setup({ maxItemBytes: 10_000, maxItems: 5 });
    const sink = new LinesSink(collector());
    const line = Buffer.from(good('x'.repeat(5_000)));
    feed(sink, line, 100);
    expect(held.held).toBe(line.length);
    sink.write(Buffer.from('\n'));
    expect(held.held).toBe(1_024);
  });

  test('is nothing of an item that is too long', () => {
    const { held, collector } = setup();
    const sink = new LinesSink(collector());
    for (let i = 0; i < 1_000; i++) sink.write(Buffer.alloc(1_000, 'x'));
    expect(held.held).toBe(0);
  });

  test('has a limit for all requests together', () => {
    const held = new HeldBytes(100);
    const [one, other] = [held.holder(), held.holder()];
    one.take(60);
    expect(refusal(() => other.take(50)).slug).toBe('overloaded');
    one.giveAll();
    other.take(50);
    expect(held.held).toBe(50);
  });
});
