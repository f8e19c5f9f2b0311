import { describe, expect, test } from '@jest/globals';
import { EXIT } from './exit-codes.ts';
import { readProblem, troubleOf } from './problem.ts';

const SERVER = 'http://127.0.0.1:5000';
const TYPE = 'application/problem+json; charset=utf-8';

function answer(status: number, slug: string, more: object = {}) {
  const body = JSON.stringify({ type: `https://hashcluster.io/problems/${slug}`, title: 'A title', ...more });
  return { status, body, contentType: TYPE, retryAfterMs: null };
}

describe('an answer that is no success', () => {
  test.each([
    [400, 'malformed-json', EXIT.refused, false],
    [404, 'not-found', EXIT.notFound, false],
    [404, 'unknown-path', EXIT.unavailable, false],
    [408, 'too-slow', EXIT.refused, false],
    [409, 'already-ended', EXIT.refused, false],
    [413, 'too-large', EXIT.refused, false],
    [422, 'invalid-request', EXIT.refused, false],
    [429, 'rate-limited', EXIT.refused, true],
    [500, 'internal', EXIT.internal, false],
    [502, '', EXIT.unavailable, true],
    [503, 'overloaded', EXIT.unavailable, true],
    [503, 'unavailable', EXIT.unavailable, true],
    [504, '', EXIT.unavailable, true],
  ])('%d %s: exit code %d, worth another attempt: %p', (status, slug, exitCode, retryable) => {
    const trouble = troubleOf(answer(status, slug), SERVER);
    expect(trouble.error.exitCode).toBe(exitCode);
    expect(trouble.retryable).toBe(retryable);
  });

  test('is told with title, detail, and a line per error', () => {
    const errors = [
      { pointer: '#/iterations', detail: 'must be at least 1' },
      { parameter: 'top', detail: 'must be a number' },
      { detail: 'and more' },
      'nonsense',
      { pointer: '#/x' },
    ];
    const { error } = troubleOf(
      answer(422, 'invalid-request', { detail: 'Two values are wrong.', errors }),
      SERVER,
    );
    expect(error.message).toBe('A title: Two values are wrong.');
    expect(error.details).toEqual(['#/iterations: must be at least 1', 'top: must be a number', 'and more']);
  });

  test('of a path that is not there asks whether the address is right', () => {
    const { error } = troubleOf(answer(404, 'unknown-path'), `${SERVER}/v1`);
    expect(error.details).toEqual([`Is --server right? It is ${SERVER}/v1.`]);
  });

  test('is not told twice when there is one error', () => {
    const more = { detail: 'too many', errors: [{ parameter: 'top', detail: 'too many' }] };
    expect(troubleOf(answer(422, 'invalid-request', more), SERVER).error.details).toEqual([]);
  });

  test('cannot drive the terminal', () => {
    const { error } = troubleOf(
      answer(400, 'x', { detail: '\u001b[2Jgone', errors: [{ detail: 'a\u0007b' }] }),
      SERVER,
    );
    expect(error.message + error.details.join('')).not.toMatch(/\p{Cc}/u);
  });

  test.each([
    ['text/html', '<h1>Not here</h1>'],
    [TYPE, 'not JSON'],
    [TYPE, '[]'],
    [TYPE, '{"status":404}'],
  ])('of type %s that says %p is of somebody else', (contentType, body) => {
    expect(readProblem(contentType, body)).toBeNull();
    const { error } = troubleOf({ status: 404, contentType, body, retryAfterMs: null }, SERVER);
    expect(error.exitCode).toBe(EXIT.unavailable);
    expect(error.message).toBe(`${SERVER} answered 404, and not as HashCluster does. Is --server right?`);
  });
});
