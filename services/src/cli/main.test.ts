import { closeSync, existsSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from './exit-codes.ts';
import {
  closedPort,
  doneJob,
  jobBody,
  sendEvents,
  sendJson,
  sendProblem,
  startFakeService,
  type FakeService,
} from './testing/fake-service.ts';
import { runCli } from './testing/run-cli.ts';

const running = jobBody({ iterations: 7, state: 'running', position: 2 });
const DONE = doneJob();

let service: FakeService | null = null;
const env = (): Record<string, string> => ({ HASHCLUSTER_SERVER: service!.url });

/** Knows a done job of 3 iterations and one of 7 that runs for ever. */
beforeAll(async () => {
  service = await startFakeService(({ method, url }, response) => {
    if (method === 'PUT') sendJson(response, 202, jobBody());
    else if (url === `/v1/jobs/${DONE.id}/events`) sendEvents(response, [jobBody(), DONE]);
    else if (url === `/v1/jobs/${running.id}/events`) sendEvents(response, [running], false);
    else if (url === `/v1/jobs/${DONE.id}`) sendJson(response, 200, DONE);
    else if (url === `/v1/jobs/${running.id}`) sendJson(response, 200, running);
    else if (url.startsWith('/v1/jobs?')) sendJson(response, 200, { items: [], next: null });
    else sendProblem(response, { status: 404, slug: 'not-found', title: 'No such job' });
  });
});
afterAll(async () => service?.stop());

const COMMANDS = 'start submit status watch result list cancel verify workers cluster bench demo'.split(' ');

describe('as a process', () => {
  test('help explains every command, with examples', async () => {
    const help = await runCli(['--help']);
    expect(help.code).toBe(EXIT.ok);
    for (const command of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^  ${command} .*\\w`, 'm'));
    expect(help.stdout).toContain('Exit codes:');
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await runCli([command, '--help']);
      expect([command, code, stderr]).toEqual([command, EXIT.ok, '']);
      expect(stdout).toMatch(
        new RegExp(`^Usage: hashcluster ${command}[^]*Examples:\n  # [^]*\\$ hashcluster ${command}`, 'm'),
      );
    }
  }, 120_000);

  test('the version is the package’s', async () => {
    expect(await runCli(['--version'])).toEqual({
      code: EXIT.ok,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test('a job goes through a pipe from submit to digest', async () => {
    const { code, stdout, stderr } = await runCli(['submit', '-', '-n', '3', '--wait'], {
      env: env(),
      input: 'hello',
    });
    expect([code, stdout]).toEqual([EXIT.ok, `${DONE.digest}\n`]);
    expect(stderr).not.toMatch(/\u001b|\r/);
    expect(service!.seen.find(({ method }) => method === 'PUT')!.body.toString()).toBe('hello');
  });

  test('json is one document on standard output', async () => {
    const { code, stdout, stderr } = await runCli(['status', DONE.id, '--output', 'json'], { env: env() });
    expect([code, JSON.parse(stdout), stderr]).toEqual([EXIT.ok, DONE, '']);
  });

  test.each([
    ['a wrong command line', ['submit'], EXIT.usage],
    ['an unknown job', ['status', jobBody({ iterations: 99 }).id], EXIT.notFound],
    ['a job that is not done', ['result', running.id], EXIT.stillRunning],
    ['a wait that is over', ['watch', running.id, '--max-wait', '100ms'], EXIT.stillRunning],
  ])('%s has its exit code', async (_name, args, exitCode) => {
    const { code, stdout, stderr } = await runCli(args, { env: env() });
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toMatch(/^hashcluster: /m);
  });

  const full = existsSync('/dev/full') ? test : test.skip;
  full('a result that cannot be written is exit code 74, in one line (needs /dev/full)', async () => {
    const stdout = openSync('/dev/full', 'w');
    try {
      const { code, stderr } = await runCli(['list'], { env: { HASHCLUSTER_SERVER: service!.url }, stdout });
      expect([code, stderr]).toEqual([
        EXIT.output,
        expect.stringMatching(/^hashcluster: Cannot write .*ENOSPC.*\n$/),
      ]);
    } finally {
      closeSync(stdout);
    }
  });

  test('a service that is not there is exit code 69, and the user learns how to start one', async () => {
    const server = `http://127.0.0.1:${await closedPort()}`;
    const { code, stderr } = await runCli(['cluster', '--server', server, '--timeout', '0']);
    expect(code).toBe(EXIT.unavailable);
    expect(stderr).toContain('nothing listens there (ECONNREFUSED)');
    expect(stderr).toContain('hashcluster start');
  });

  test.each([
    ['SIGINT', EXIT.interrupted],
    ['SIGTERM', EXIT.terminated],
  ] as const)('%s ends it in good order with exit code %d', async (signal, exitCode) => {
    const onStderr = (child: { kill(signal: NodeJS.Signals): boolean }, text: string): void => {
      if (text.includes('running') && !text.includes('goes on')) child.kill(signal);
    };
    const { code, stderr } = await runCli(['watch', running.id], { env: env(), onStderr });
    expect(code).toBe(exitCode);
    expect(stderr).toContain(`The job goes on. See it with: hashcluster watch ${running.id}`);
  });
});
