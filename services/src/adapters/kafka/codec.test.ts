import { expect, test } from '@jest/globals';
import { dispatch } from '../../ports/bus-conformance-kit.ts';
import { decode, encode } from './codec.ts';

test('a message comes back as it was', () => {
  expect(decode('jobs.1', encode(dispatch(7)))).toEqual(dispatch(7));
});

test.each<[string, Buffer | null]>([
  ['nothing', null],
  ['no bytes', Buffer.alloc(0)],
  ['no JSON', Buffer.from('{')],
  ['no UTF-8', Buffer.from([0xff, 0xfe])],
  ['another message', encode({ kind: 'cancel', id: dispatch(1).id })],
  ['too much', Buffer.from(JSON.stringify({ ...dispatch(1), more: 'x'.repeat(1 << 20) }))],
])('%s is no message', (_, bytes) => {
  expect(decode('jobs.1', bytes)).toBeNull();
});
