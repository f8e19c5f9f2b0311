import { describe, expect, test } from '@jest/globals';
import { similarCommands } from './similar-commands.ts';

const COMMANDS = 'start submit status watch result list cancel verify workers worker cluster'.split(' ');

describe('a mistyped command', () => {
  test.each([
    ['stat', ['status', 'start']],
    ['sbumit', ['submit']],
    ['lst', ['list']],
    ['statsu', ['status']],
    ['can', ['cancel']],
    ['frobnicate', []],
    ['', []],
  ])('%p may stand for %p', (word, expected) => {
    expect(similarCommands(word, COMMANDS).slice(0, 2)).toEqual(expected);
  });
});
