import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SseParser, type SseEvent } from './sse.ts';

function parse(...chunks: string[]): SseEvent[] {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

describe('an event stream', () => {
  test.each<[string, string, SseEvent[]]>([
    ['a bare event', 'data: x\n\n', [{ type: 'message', data: 'x', id: '' }]],
    ['type and id', 'event: end\nid: 7\ndata: x\n\n', [{ type: 'end', data: 'x', id: '7' }]],
    ['several data lines', 'data: a\ndata:b\ndata\n\n', [{ type: 'message', data: 'a\nb\n', id: '' }]],
    ['only the first space is taken off', 'data:  a\n\n', [{ type: 'message', data: ' a', id: '' }]],
    ['a comment', ': still here\n\n', []],
    ['an event without data', 'event: x\nid: 1\n\n', []],
    ['an event that does not end', 'data: x\n', []],
    ['an unknown field', 'foo: bar\nretry: 10\ndata: x\n\n', [{ type: 'message', data: 'x', id: '' }]],
    ['an id with a null character', 'id: a\0b\ndata: x\n\n', [{ type: 'message', data: 'x', id: '' }]],
    ['a byte order mark', '\ufeffdata: x\n\n', [{ type: 'message', data: 'x', id: '' }]],
    [
      'carriage returns',
      'data: x\r\rdata: y\r\r',
      [
        { type: 'message', data: 'x', id: '' },
        { type: 'message', data: 'y', id: '' },
      ],
    ],
  ])('%s', (_name, text, events) => expect(parse(text)).toEqual(events));

  test('an id holds until there is another, also across events without data', () => {
    const events = parse('id: 1\ndata: a\n\nid: 2\n\ndata: b\n\nid\ndata: c\n\n');
    expect(events.map(({ data, id }) => [data, id])).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', ''],
    ]);
  });

  test('the type of an event without data does not stick to the next', () => {
    expect(parse('event: x\n\ndata: y\n\n')).toEqual([{ type: 'message', data: 'y', id: '' }]);
  });

  test('means the same in whatever pieces and with whatever line ends it comes', () => {
    const text =
      '\ufeff: hello\n\nevent: progress\nid: 10\ndata: {"a":1}\ndata: more\n\n\n\nevent: end\nid: end\ndata: z\n\n';
    const expected = parse(text);
    expect(expected).toHaveLength(2);
    const cuts = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, fc.constantFrom('\n', '\r', '\r\n'), (positions, lineEnd) => {
        const whole = text.replaceAll('\n', lineEnd);
        const at = [0, ...positions.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end));
        expect(parse(...pieces)).toEqual(expected);
      }),
    );
  });

  test('a line without end is refused before it fills the memory', () => {
    const parser = new SseParser();
    const piece = 'x'.repeat(100_000);
    expect(() => {
      for (let i = 0; i < 100; i++) parser.push(piece);
    }).toThrow('1 MiB');
  });
});
