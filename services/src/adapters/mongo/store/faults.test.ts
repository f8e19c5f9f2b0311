import { describe, expect, test } from '@jest/globals';
import { mongo } from 'mongoose';
import { StoreUnavailableError } from '../../../ports/job-store.ts';
import { asPortError, isHopeless, reasonOf } from './faults.ts';

const server = (code: number): mongo.MongoServerError => new mongo.MongoServerError({ errmsg: 'no', code });
const labelled = (label: string): mongo.MongoError => {
  const error = new mongo.MongoServerError({ errmsg: 'no', code: 999 });
  error.addErrorLabel(label);
  return error;
};
const named = (name: string): mongo.MongoError => {
  const error = new mongo.MongoError('no');
  Object.defineProperty(error, 'name', { value: name });
  return error;
};

const AWAY: readonly { readonly what: string; readonly error: Error }[] = [
  { what: 'a broken connection', error: new mongo.MongoNetworkError('ECONNRESET') },
  { what: 'no answer in time', error: new mongo.MongoNetworkTimeoutError('timed out') },
  { what: 'no primary', error: new mongo.MongoServerSelectionError('none', {} as never) },
  { what: 'a closed topology', error: new mongo.MongoTopologyClosedError('closed') },
  { what: 'no free connection', error: named('MongoWaitQueueTimeoutError') },
  { what: 'a cleared pool', error: named('MongoPoolClearedError') },
  { what: 'a primary that is none any more', error: server(10107) },
  { what: 'a primary that steps down', error: server(189) },
  { what: 'a server that shuts down', error: server(91) },
  { what: 'a majority that did not come in time', error: server(64) },
  { what: 'a full disk', error: server(14031) },
  { what: 'a write that may be repeated', error: labelled('RetryableWriteError') },
];

const OURS: readonly { readonly what: string; readonly error: Error }[] = [
  { what: 'a command that makes no sense', error: server(9) },
  { what: 'a duplicate', error: server(11000) },
  { what: 'a mistake of the code', error: new TypeError('x is undefined') },
];

describe('a fault', () => {
  test.each(AWAY)('$what: the store is away', ({ error }) => {
    const told = asPortError(error);
    expect(told).toBeInstanceOf(StoreUnavailableError);
    expect((told as Error).cause).toBe(error);
  });

  test.each(OURS)('$what: stays what it is', ({ error }) => {
    expect(asPortError(error)).toBe(error);
  });

  test('that quotes a command and its session is told in one line', () => {
    const errmsg =
      'not authorized on jobs to execute command { createIndexes: "jobs", lsid: { id: UUID("a") } }';
    const refused = new mongo.MongoServerError({ errmsg, code: 13 });
    const told = asPortError(refused) as Error;
    expect(told).toBeInstanceOf(StoreUnavailableError);
    expect(told.message).toBe(
      "MongoDB is away: the user may not createIndexes in the database 'jobs': the role readWrite is needed",
    );
    expect(told.cause).toBeUndefined();
  });

  test.each([
    { error: new Error('first\nsecond'), reason: 'first' },
    { error: new Error('x'.repeat(1_000)), reason: 'x'.repeat(300) },
    { error: 'plain', reason: 'plain' },
  ])('has a reason of one line', ({ error, reason }) => {
    expect(reasonOf(error)).toBe(reason);
  });

  test('that was translated is not translated again', () => {
    const error = new StoreUnavailableError('away');
    expect(asPortError(error)).toBe(error);
  });

  test.each([
    { error: server(18), hopeless: true },
    { error: new mongo.MongoParseError('bad'), hopeless: true },
    { error: new mongo.MongoNetworkError('ECONNREFUSED'), hopeless: false },
    { error: server(10107), hopeless: false },
  ])('$error.message is worth another attempt: unless $hopeless', ({ error, hopeless }) => {
    expect(isHopeless(error)).toBe(hopeless);
  });
});
