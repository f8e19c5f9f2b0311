import { expect, test } from '@jest/globals';
import type { Topic, Topics } from '../../jobs/messages.ts';
import { isMessageOf } from '../../jobs/messages-check.ts';
import { dispatch } from '../../ports/bus-conformance-kit.ts';
import { decode, encode } from './codec.ts';

const OWN = '0123abcd';
const OTHER = 'fedc9876';

/** What comes of these bytes, and the other databases that were named. */
function decoded(bytes: Buffer | null, databaseId: string | null) {
  const foreign: string[] = [];
  const message = decode('jobs.1', bytes, { databaseId, onForeign: (id) => foreign.push(id) });
  return { message, foreign };
}

test.each([null, OWN])('a message comes back as it was, from database %s', (databaseId) => {
  const bytes = encode(dispatch(7), databaseId);
  expect(decoded(bytes, OWN)).toEqual({ message: dispatch(7), foreign: [] });
  // Before the own id is known, every message is accepted.
  expect(decoded(bytes, null)).toEqual({ message: dispatch(7), foreign: [] });
});

test('a message of another database is named and left out', () => {
  expect(decoded(encode(dispatch(7), OTHER), OWN)).toEqual({ message: undefined, foreign: [OTHER] });
});

test('older versions accept a message with the id of a database', () => {
  expect(isMessageOf('jobs.1', JSON.parse(encode(dispatch(7), OWN).toString()))).toBe(true);
});

const withDatabase = (database: unknown): Buffer =>
  encode({ ...dispatch(1), database } as Topics[Topic], null);

test.each<[string, Buffer | null]>([
  ['nothing', null],
  ['no bytes', Buffer.alloc(0)],
  ['no JSON', Buffer.from('{')],
  ['no UTF-8', Buffer.from([0xff, 0xfe])],
  ['another message', encode({ kind: 'cancel', id: dispatch(1).id }, OWN)],
  ['too much', Buffer.from(JSON.stringify({ ...dispatch(1), more: 'x'.repeat(1 << 20) }))],
  ['one with a number as its database', withDatabase(1)],
  ['one with a long text as its database', withDatabase('a'.repeat(100))],
])('%s is no message', (_, bytes) => {
  expect(decoded(bytes, OWN)).toEqual({ message: null, foreign: [] });
});
