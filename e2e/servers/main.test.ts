import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command where no Docker is to be found. */
function run(...args: string[]): Promise<Outcome> {
  const env = { ...process.env, NODE_OPTIONS: '', DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, output, errors) => {
      resolve({ code: error ? Number(error.code) : 0, output, errors });
    });
  });
}

test('without Docker, `need` says in one line of JSON what is skipped and why', async () => {
  const { code, output } = await run('need', 'mongodb', 'kafka');
  expect(code).toBe(0);
  expect(output.split('\n')).toHaveLength(2);
  expect(JSON.parse(output)).toEqual({
    skipped: expect.stringMatching(/^Docker does not answer: /),
  });
});

test('without Docker there is nothing to take down', async () => {
  expect(await run('down')).toEqual({ code: 0, output: '', errors: '' });
});

test.each([
  { args: ['need', 'postgres'], code: 1, says: 'No server is called postgres; there are mongodb, ' },
  { args: ['up'], code: 64, says: 'There is no command up.' },
])('refuses $args and says what there is', async ({ args, code, says }) => {
  const outcome = await run(...args);
  expect(outcome).toMatchObject({ code, output: '', errors: expect.stringContaining(says) });
});

test.each([[[]], [['--help']], [['-h']]])('explains itself when called with %j', async (args) => {
  expect(await run(...args)).toMatchObject({
    code: 0,
    output: expect.stringContaining('node e2e/servers/main.ts need NAME…'),
  });
});
