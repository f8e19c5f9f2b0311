import { describe, expect, test } from '@jest/globals';
import { connectionTrouble } from './connection.ts';
import { EXIT } from './exit-codes.ts';
import { StalledError } from './watchdog.ts';

const SERVER = 'http://127.0.0.1:5000';

function failed(cause: unknown): Error {
  return new TypeError('fetch failed', { cause });
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('a request that failed', () => {
  test.each([
    ['a refused connection', failed(coded('ECONNREFUSED')), 'nothing listens there (ECONNREFUSED)', true],
    [
      'several refused addresses',
      failed(new AggregateError([coded('ECONNREFUSED')])),
      '(ECONNREFUSED)',
      true,
    ],
    ['a cut connection', failed(coded('UND_ERR_SOCKET')), 'was cut', true],
    ['a body that was cut', failed(failed(coded('ECONNRESET'))), 'was cut', true],
    ['silence', new StalledError('x'), 'no answer in time', true],
    ['a name service that is away', failed(coded('EAI_AGAIN')), 'name service', true],
    ['an unknown host', failed(coded('ENOTFOUND')), 'no host of that name', false],
    ['a file that shrank', failed(coded('UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')), 'file changed', false],
    ['HTTPS at a port for HTTP', failed(coded('ERR_SSL_WRONG_VERSION_NUMBER')), 'HTTP, not HTTPS', false],
    ['a bad certificate', failed(coded('CERT_HAS_EXPIRED')), 'CERT_HAS_EXPIRED', false],
    ['a port that fetch does not use', failed(new Error('bad port')), 'refuse to use this port', false],
    ['something else', 'odd', 'odd', false],
  ])('%s', (_name, error, text, retryable) => {
    const trouble = connectionTrouble(error, SERVER);
    expect(trouble.error.exitCode).toBe(EXIT.unavailable);
    expect(trouble.error.message).toContain(`Cannot use ${SERVER}: `);
    expect(trouble.error.message).toContain(text);
    expect(trouble.retryable).toBe(retryable);
  });

  test('says how to start a service when there is none', () => {
    expect(connectionTrouble(failed(coded('ECONNREFUSED')), SERVER).error.details[0]).toContain(
      'hashcluster start',
    );
  });
});
