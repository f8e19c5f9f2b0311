import { describe, expect, test } from '@jest/globals';
import { tolerationsOfStateless, type Toleration } from './tolerations.ts';

const UNREACHABLE = 'node.kubernetes.io/unreachable';
const NOT_READY = 'node.kubernetes.io/not-ready';

describe('a pod without data of its own', () => {
  test.each<[string, Toleration[], string[]]>([
    ['leaves lost nodes soon', [], [NOT_READY, UNREACHABLE]],
    ['does so beside what the user tolerates', [{ key: 'compute' }], [NOT_READY, UNREACHABLE]],
    ['waits as the user says', [{ key: UNREACHABLE, tolerationSeconds: 900 }], [NOT_READY]],
    ['stays for ever where the user tolerates everything', [{ operator: 'Exists' }], []],
  ])('%s', (_, given, ours) => {
    const all = tolerationsOfStateless(given);
    expect(all.slice(0, given.length)).toEqual(given);
    const added = all.slice(given.length);
    expect(added.map((each) => each['key'])).toEqual(ours);
    for (const each of added) expect(each).toMatchObject({ effect: 'NoExecute', operator: 'Exists' });
  });
});
