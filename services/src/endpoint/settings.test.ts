import { describe, expect, test } from '@jest/globals';
import { MAX_ITERATIONS } from '../jobs/limits.ts';
import { SettingsError } from '../runtime/settings.ts';
import { endpointSettings, type EndpointSettings } from './settings.ts';

describe('the settings of an endpoint', () => {
  test('bind to loopback when embedded and to every address in a cluster', () => {
    expect(endpointSettings({})).toMatchObject({ mode: 'embedded', host: '127.0.0.1', port: 5000 });
    expect(endpointSettings({ HASHCLUSTER_MODE: 'cluster' })).toMatchObject({ mode: 'cluster', host: '::' });
    expect(endpointSettings({ LISTEN_HOST: '10.0.0.1' }).host).toBe('10.0.0.1');
  });

  test('allow the largest job and a body of 1 GiB by default', () => {
    expect(endpointSettings({})).toMatchObject({ maxIterations: MAX_ITERATIONS, maxBodyBytes: 2 ** 30 });
  });

  test('come from the environment, which overrides win over', () => {
    const env = { MAX_ITERATIONS: '1000', HEADERS_TIMEOUT: '3s', LISTEN_PORT: '0', ENDPOINT_ID: 'a' };
    expect(endpointSettings(env)).toMatchObject({
      maxIterations: 1000,
      headersTimeoutMs: 3000,
      port: 0,
      id: 'a',
    });
    expect(endpointSettings(env, { port: 8080 }).port).toBe(8080);
  });

  test('treat an empty variable as none', () => {
    expect(endpointSettings({ MAX_ITERATIONS: '', ENDPOINT_ID: '' })).toEqual(endpointSettings({}));
  });

  test.each<[string, Record<string, string>, Partial<EndpointSettings>, RegExp]>([
    ['a number that is none', { MAX_BODY_BYTES: 'lots' }, {}, /MAX_BODY_BYTES: expected an integer.*"lots"/],
    [
      'a number out of range',
      { LISTEN_PORT: '70000' },
      {},
      /LISTEN_PORT: expected an integer from 0 to 65535/,
    ],
    ['a duration without a unit', { IDLE_TIMEOUT: '5' }, {}, /IDLE_TIMEOUT: expected a duration/],
    ['a mode that there is not', { HASHCLUSTER_MODE: 'solo' }, {}, /HASHCLUSTER_MODE: expected one of/],
    ['an override out of range', {}, { maxConnections: 0 }, /MAX_CONNECTIONS: expected an integer from 1/],
    ['a wait that would be cut off', { IDLE_TIMEOUT: '60s' }, {}, /IDLE_TIMEOUT: must be longer than WAIT/],
    ['a stream that would be cut off', { SSE_HEARTBEAT: '2m' }, {}, /IDLE_TIMEOUT: must be longer than SSE/],
    ['a range that is none', { ALLOWED_CLIENTS: '10.0.0.0/8, here' }, {}, /ALLOWED_CLIENTS: .*"here"/],
    ['a document that never fits', { MAX_HELD_BYTES: '1000' }, {}, /MAX_HELD_BYTES: must be at least/],
  ])('refuse %s', (_what, env, overrides, message) => {
    expect(() => endpointSettings(env, overrides)).toThrow(message);
  });

  test('name everything that is wrong at once', () => {
    const attempt = (): EndpointSettings => endpointSettings({ LISTEN_PORT: '-1', MAX_WAITERS: '1.5' });
    expect(attempt).toThrow(SettingsError);
    expect(attempt).toThrow(/LISTEN_PORT.*\n.*MAX_WAITERS/);
  });
});
