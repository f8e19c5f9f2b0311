import { describe, expect, test } from '@jest/globals';
import { Round } from './round.ts';

describe('trials of a round', () => {
  test('do a thing once, when all have come to it', async () => {
    const round = new Round(2);
    const [one, two] = [round.join(), round.join()];
    const done: string[] = [];
    const act = (name: string) => async () => done.push(name);
    const first = one.once(act('first'));
    expect(done).toEqual([]);
    expect(await Promise.all([first, two.once(act('of two'))])).toEqual([1, 1]);
    await Promise.all([two.once(act('second')), one.once(act('of one'))]);
    expect(done).toEqual(['first', 'second']);
  });

  test('do not wait for one that has left', async () => {
    const round = new Round(3);
    const [one, two, three] = [round.join(), round.join(), round.join()];
    three.leave();
    three.leave();
    const result = one.once(async () => 'done');
    two.leave();
    expect(await result).toBe('done');
    expect(await one.once(async () => 'alone')).toBe('alone');
  });

  test('all hear of a failure', async () => {
    const round = new Round(2);
    const fail = () => Promise.reject(new Error('no'));
    const results = await Promise.allSettled([round.join().once(fail), round.join().once(fail)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
