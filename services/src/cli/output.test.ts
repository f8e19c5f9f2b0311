import { describe, expect, test } from '@jest/globals';
import { CliError, EXIT } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';
import { Transcript } from './testing/text-stream.ts';

function setup(change: Partial<OutputOptions> = {}, terminal = false) {
  const stdout = new Transcript(terminal);
  const stderr = new Transcript(terminal);
  const output = new Output({ stdout, stderr, format: 'text', quiet: false, colour: true, ...change });
  return { stdout, stderr, output };
}

describe('output', () => {
  test('results go to standard output, remarks and errors to standard error', () => {
    const { output, stdout, stderr } = setup();
    output.result('the result', { a: 1 });
    output.note('a remark');
    output.error(new CliError(EXIT.refused, 'No.', ['because', 'and']));
    expect(stdout.text).toBe('the result\n');
    expect(stderr.text).toBe('a remark\nhashcluster: No.\n  because\n  and\n');
  });

  test('with json, a result is one document and a line is one line', () => {
    const { output, stdout } = setup({ format: 'json' });
    output.result('the result', { a: [1] });
    expect(JSON.parse(stdout.text)).toEqual({ a: [1] });
    stdout.text = '';
    output.line('a', { a: [1] });
    output.line('b', { b: 2 });
    expect(stdout.text).toBe('{"a":[1]}\n{"b":2}\n');
  });

  test('quiet says results and errors only', () => {
    const { output, stdout, stderr } = setup({ quiet: true });
    output.note('a remark');
    output.result('the result', null);
    output.error(new CliError(EXIT.failed, 'No.'));
    expect(stdout.text).toBe('the result\n');
    expect(stderr.text).toBe('hashcluster: No.\n');
  });

  test.each([
    ['on a terminal', true, true, '\u001b[32mx\u001b[39m'],
    ['in a pipe', false, true, 'x'],
    ['when colours are not wanted', true, false, 'x'],
  ])('paint %s', (_name, terminal, colour, text) => {
    expect(setup({ colour }, terminal).output.paint('good', 'x')).toBe(text);
  });

  test('what lies over the terminal steps aside for every line', () => {
    const { output, stderr } = setup({}, true);
    output.overlay({ hide: () => stderr.write('<'), show: () => stderr.write('>') });
    output.note('a');
    output.overlay(null);
    output.note('b');
    expect(stderr.text).toBe('<a\n>b\n');
  });
});
