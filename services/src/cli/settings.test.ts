import { describe, expect, test } from '@jest/globals';
import { cliSettings } from './settings.ts';

describe('the environment', () => {
  test.each([
    ['nothing', {}, '/home/ada/.local/state/hashcluster'],
    ['an own directory', { HASHCLUSTER_DATA: '/srv/hash' }, '/srv/hash'],
    ['a state directory', { XDG_STATE_HOME: '/state' }, '/state/hashcluster'],
    [
      'a state directory that is not absolute',
      { XDG_STATE_HOME: 'state' },
      '/home/ada/.local/state/hashcluster',
    ],
    ['both', { XDG_STATE_HOME: '/state', HASHCLUSTER_DATA: 'mine' }, 'mine'],
    ['empty values', { XDG_STATE_HOME: '', HASHCLUSTER_DATA: '' }, '/home/ada/.local/state/hashcluster'],
  ])('with %s, data is kept where it says', (_name, env, dataDir) => {
    expect(cliSettings(env, '/home/ada').dataDir).toBe(dataDir);
  });

  test.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '0' }, false],
    [{ NO_COLOR: '' }, true],
    [{ TERM: 'dumb' }, false],
  ])('%p: colours are %p', (env, colour) => expect(cliSettings(env, '/').colour).toBe(colour));

  test.each([
    [{}, null],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, '/dev/termination-log'],
  ])('%p: the termination log is %p', (env, path) => expect(cliSettings(env, '/').terminationLog).toBe(path));

  test('the service is on this machine unless told otherwise', () => {
    expect(cliSettings({}, '/').server).toBe('http://127.0.0.1:5000');
    expect(cliSettings({ HASHCLUSTER_SERVER: 'http://h:1' }, '/').server).toBe('http://h:1');
  });
});
