import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CliError, EXIT } from './exit-codes.ts';
import { runCli } from './program.ts';
import { always, CommandLine, type Ran } from './testing/command-line.ts';
import {
  doneJob,
  jobBody,
  sendEvents,
  sendJson,
  sendProblem,
  type Answerer,
} from './testing/fake-service.ts';
import { testHost, type TestHostOptions } from './testing/host.ts';

const cli = new CommandLine();
beforeAll(() => cli.open());
afterAll(() => cli.close());

const run = (line: string, answer: Answerer, options?: TestHostOptions): Promise<Ran> =>
  cli.run(line, answer, options);

/** Answers a submit, a read and the event stream of one job. */
function lifeOf(first: ReturnType<typeof jobBody>, events: readonly ReturnType<typeof jobBody>[]): Answerer {
  return ({ url }, response) => {
    if (url.endsWith('/events')) sendEvents(response, events);
    else sendJson(response, url.startsWith('/enqueue') ? 202 : 200, first);
  };
}

const ID = jobBody().id;
const running = jobBody({ state: 'running', position: 2 });
const failed = jobBody({
  state: 'failed',
  finishedAt: '2026-11-23T03:27:12.000Z',
  reason: '20 workers died',
});

describe('submit', () => {
  test('prints the id alone, so that a script can keep it', async () => {
    const { code, out, err, seen } = await run('submit DATA -n 3', always(jobBody(), 202));
    expect([code, out]).toEqual([EXIT.ok, `${ID}\n`]);
    expect(err).toContain(`hashcluster watch ${ID}`);
    expect(seen[0]!.body.toString()).toBe('hello');
  });

  test('of a known job says so', async () => {
    const { out, err } = await run('submit DATA -n 3', always(doneJob()));
    expect(out).toBe(`${ID}\n`);
    expect(err).toContain(`hashcluster result ${ID}`);
  });

  test('with --wait prints the digest when there is one', async () => {
    const answer = lifeOf(jobBody(), [jobBody(), running, doneJob()]);
    const { code, out, err } = await run('submit - -n 3 --wait', answer, { input: 'hello' });
    expect([code, out]).toEqual([EXIT.ok, `${doneJob().digest}\n`]);
    expect(err).toMatch(/queued.*\n.*running.*\n.*done, 3 iterations/);
  });

  test('with --wait does not wait for what is known', async () => {
    const { out, seen } = await run('submit DATA -n 3 --wait', always(doneJob()));
    expect(out).toBe(`${doneJob().digest}\n`);
    expect(seen).toHaveLength(1);
  });

  test('with --wait and json prints one document, the job', async () => {
    const answer = lifeOf(jobBody(), [running, doneJob()]);
    const { out } = await run('submit DATA -n 3 --wait --output json', answer);
    expect(JSON.parse(out)).toEqual(doneJob());
  });

  test('that waits no longer says that the job goes on', async () => {
    const answer: Answerer = ({ url }, response) =>
      url.endsWith('/events') ? sendEvents(response, [running], false) : sendJson(response, 202, jobBody());
    const { code, out, err } = await run('submit DATA -n 3 --max-wait 100ms', answer);
    expect([code, out]).toEqual([EXIT.stillRunning, '']);
    expect(err).toContain(`hashcluster watch ${ID}`);
  });

  test('that is interrupted says that the job goes on', async () => {
    const host = testHost();
    const service = await cli.serve(({ url }, response) => {
      if (!url.endsWith('/events')) return sendJson(response, 202, jobBody());
      sendEvents(response, [running], false);
      host.interruption.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
    });
    const argv = ['submit', '-', '-n', '3', '--wait', '--server', service.url];
    expect(await runCli(argv, host)).toBe(EXIT.interrupted);
    expect(host.stderr.text).toContain(`The job goes on. See it with: hashcluster watch ${ID}`);
  });

  test('shows what the service does not like about it', async () => {
    const errors = [{ parameter: 'iterations', detail: 'at most 1000' }];
    const problem = {
      status: 422,
      slug: 'invalid-request',
      title: 'Not valid',
      detail: 'See below.',
      errors,
    };
    const { code, out, err } = await run('submit DATA -n 9', (_seen, response) =>
      sendProblem(response, problem),
    );
    expect([code, out]).toEqual([EXIT.refused, '']);
    expect(err).toBe('hashcluster: Not valid: See below.\n  iterations: at most 1000\n');
  });
});

describe('watch', () => {
  const events = [jobBody(), running, doneJob()];

  test('shows changes as lines in a pipe, and prints the digest', async () => {
    const { code, out, err } = await run(`watch ${ID}`, lifeOf(jobBody(), events));
    expect([code, out]).toEqual([EXIT.ok, `${doneJob().digest}\n`]);
    expect(err.split('\n').map((line) => line.split(' ')[0])).toEqual(['queued', 'running', `${ID}:`, '']);
  });

  test('shows a bar on a terminal, and leaves nothing of it', async () => {
    const { out, err } = await run(`watch ${ID}`, lifeOf(jobBody(), events), { terminal: true });
    expect(out).toBe(`${doneJob().digest}\n`);
    expect(err).toContain('░');
    expect(err.slice(err.lastIndexOf('\u001b[2K'))).not.toContain('░');
  });

  test('prints one line of JSON per change', async () => {
    const { code, out, err } = await run(`watch ${ID} --output json -q`, lifeOf(jobBody(), events));
    expect(code).toBe(EXIT.ok);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(events);
    expect(err).toBe('');
  });

  test.each(['', ' --output json'])('of a job that fails ends with its reason%s', async (more) => {
    const { code, err } = await run(`watch ${ID}${more}`, lifeOf(jobBody(), [failed]));
    expect(code).toBe(EXIT.failed);
    expect(err).toContain('20 workers died');
  });
});

describe('status, result and cancel', () => {
  test('status prints text or JSON, and succeeds whatever the state', async () => {
    expect((await run(`status ${ID}`, always(failed))).out).toContain('reason      20 workers died\n');
    const { code, out } = await run(`status ${ID} --output json`, always(failed));
    expect([code, JSON.parse(out)]).toEqual([EXIT.ok, failed]);
  });

  test.each([
    ['done', doneJob(), EXIT.ok, `${doneJob().digest}\n`],
    ['running', running, EXIT.stillRunning, ''],
    ['failed', failed, EXIT.failed, ''],
    ['cancelled', jobBody({ state: 'cancelled' }), EXIT.failed, ''],
  ])('the result of a job that is %s', async (_state, job, exitCode, text) => {
    const { code, out } = await run(`result ${ID}`, always(job));
    expect([code, out]).toEqual([exitCode, text]);
  });

  test('the result is waited for when asked', async () => {
    const { out } = await run(`result ${ID} --wait`, lifeOf(running, [running, doneJob()]));
    expect(out).toBe(`${doneJob().digest}\n`);
  });

  test('cancel says where the job stood', async () => {
    const { code, out, seen } = await run(
      `cancel ${ID}`,
      always(jobBody({ state: 'cancelled', position: 2 })),
    );
    expect([code, out]).toEqual([EXIT.ok, `cancelled ${ID} at position 2\n`]);
    expect(seen[0]!.method).toBe('DELETE');
  });

  test.each(['status', 'watch', 'result', 'cancel', 'verify'])(
    '%s of an unknown job is exit code 3',
    async (command) => {
      const problem = { status: 404, slug: 'not-found', title: 'No such job' };
      const { code, out, err } = await run(`${command} ${ID}`, (_seen, response) =>
        sendProblem(response, problem),
      );
      expect([code, out, err]).toEqual([EXIT.notFound, '', 'hashcluster: No such job.\n']);
    },
  );
});

describe('list', () => {
  const paged: Answerer = ({ url }, response) => {
    const page = new URL(url, 'http://x').searchParams;
    const second = page.get('cursor') === 'next';
    // The second job of the first page ends before the second page is asked for.
    const items = second ? [ended, doneJob({ iterations: 6 })] : [jobBody({ iterations: 4 }), waiting];
    sendJson(response, 200, {
      items: items.slice(0, Number(page.get('limit'))),
      next: second ? null : 'next',
    });
  };
  const waiting = jobBody({ iterations: 5 });
  const ended = doneJob({ iterations: 5 });

  test('stops at the limit', async () => {
    const { out, seen } = await run('list --limit 2', paged);
    expect(out.trimEnd().split('\n')).toHaveLength(3);
    expect(seen).toHaveLength(1);
  });

  test('goes from page to page, and shows a job that ends meanwhile once', async () => {
    const { out, seen } = await run('list --all --state done --output json', paged);
    const items = [jobBody({ iterations: 4 }), ended, doneJob({ iterations: 6 })];
    expect(JSON.parse(out)).toEqual({ items });
    expect(seen.every(({ url }) => url.includes('state=done'))).toBe(true);
  });

  test('follows: a line for what is new or has moved, and nothing twice', async () => {
    const host = testHost();
    let looks = 0;
    const service = await cli.serve((_seen, response) => {
      looks++;
      if (looks === 3) host.interruption.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
      const job = looks === 1 ? jobBody() : running;
      sendJson(response, 200, { items: [job, doneJob({ iterations: 9 })], next: null });
    });
    const argv = ['list', '--follow', '--state', 'running', '--output', 'json', '--server', service.url];
    expect(await runCli(argv, host)).toBe(EXIT.interrupted);
    const lines = host.stdout.text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([jobBody(), doneJob({ iterations: 9 }), running]);
  });
});

describe('workers and cluster', () => {
  const worker = {
    id: 'w1',
    host: 'box',
    node: null,
    state: 'live',
    backend: 'avx2',
    engines: 2,
    lanes: 8,
    freeLanes: 3,
    rate: 2e6,
    capacity: 1e7,
    jobs: 5,
    backlogSeconds: 75,
    cpu: 0.5,
    startedAt: '2026-11-23T03:27:11.000Z',
    lastSeen: '2026-11-23T03:27:11.000Z',
  };
  const queue = { class: 0, jobs: 12, iterations: 1e6, oldestSeconds: 3 };
  const cluster = {
    version: '0.1.0',
    mode: 'embedded',
    endpoint: { id: 'e1', startedAt: '2026-11-23T03:27:11.000Z', uptimeSeconds: 3_700 },
    workers: { live: 1, draining: 0 },
    engines: 2,
    lanes: 8,
    freeLanes: 3,
    rate: 2e6,
    capacity: 1e7,
    backlog: { running: 5, queued: [queue], seconds: 0.1 },
    limits: { maxIterations: 1e12, maxBodyBytes: 1e9, maxBatchItems: 10_000, inlineIterations: 2_000 },
  };

  test('workers are a table, or JSON', async () => {
    const { out } = await run('workers', always({ items: [worker] }));
    expect(out.split('\n')[1]!.split(/ {2,}/)).toEqual([
      'w1',
      'box',
      'live',
      'avx2',
      '2',
      '3/8',
      '2.00 M/s',
      '10.0 M/s',
      '5',
      '1 min 15 s',
    ]);
    const json = await run('workers --output json', always({ items: [worker] }));
    expect(JSON.parse(json.out)).toEqual({ items: [worker] });
  });

  test('the cluster is told in lines, or JSON', async () => {
    const { out } = await run('cluster', always(cluster));
    expect(out).toContain('queued    12, the oldest for 3.0 s, 100 ms of work\n');
    expect(out).toContain('endpoint  e1, up for 1 h 1 min\n');
    expect(out).not.toContain('kafka');
    expect(JSON.parse((await run('cluster --output json', always(cluster))).out)).toEqual(cluster);
  });

  test.each([
    { brokers: [0], disks: [], says: '1 broker' },
    {
      brokers: [0, 1],
      disks: [
        { broker: 0, used: 1, total: 4 },
        { broker: 1, used: 3, total: 4 },
      ],
      says: '2 brokers, the fullest disk 75.0 % full',
    },
  ])('of Kafka it says: $says', async ({ says, ...bus }) => {
    expect((await run('cluster', always({ ...cluster, bus }))).out).toContain(`kafka     ${says}\n`);
  });
});

describe('the command line', () => {
  test.each([
    ['', 'Usage: hashcluster'],
    ['nonsense', "unknown command 'nonsense'"],
    ['submit -n 1', "missing required argument 'file'"],
    ['submit DATA', "required option '-n, --iterations <n>' not specified"],
    ['submit DATA -n 0', 'Iterations start at 1.'],
    ['submit DATA -n 1.5', 'not a whole number'],
    ['submit DATA -n 1e400', '2^53'],
    ['submit nowhere -n 1', 'no such file'],
    ['submit DATA -n 1 --max-wait soon', 'Write a time'],
    ['status 42', '26 letters and digits'],
    ['list --state odd', 'Allowed choices'],
    ['list --limit 0', 'from 1 to'],
    ['list too many', 'too many arguments'],
    ['status --nonsense', "unknown option '--nonsense'"],
    ['cluster --output xml', 'Allowed choices are text, json'],
    ['cluster --server localhost:5000', 'Write an address'],
  ])('%p is wrong: %s', async (line, text) => {
    const { code, out, err, seen } = await run(line, always(null));
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toContain(text);
    expect(seen).toHaveLength(0);
  });

  test('an address in the environment that is none is told by its name', async () => {
    const { code, err } = await run('cluster', always(null), { server: 'nowhere' });
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(
      /^hashcluster: HASHCLUSTER_SERVER is no address to use: nowhere\n {2}Write an address/,
    );
  });

  test.each([
    ['--server', 'cluster --server http://user:hunter2@127.0.0.1:1', {}],
    ['HASHCLUSTER_SERVER', 'cluster', { server: 'http://user:hunter2@127.0.0.1:1' }],
    ['HASHCLUSTER_SERVER that is no address', 'cluster', { server: 'http://user:hunter2@:1' }],
    ['HASHCLUSTER_SERVER in the help', 'cluster --help', { server: 'http://user:hunter2@127.0.0.1:1' }],
  ])('a password in %s is not shown', async (_where, line, options) => {
    const { code, out, err } = await run(line, always(null), options);
    expect(`${out}${err}`).not.toContain('hunter2');
    if (!line.includes('--help'))
      expect([code, err]).toEqual([EXIT.usage, expect.stringContaining('no password')]);
  });

  test.each([
    ['a wrong option', 'cluster --output json --sever x', 'unknown option'],
    ['a wrong option before the format', 'cluster --sever x --output=json', 'unknown option'],
    ['an unknown command', 'clutser --output json', 'unknown command'],
    ['a service that refuses', 'cluster --output json', 'answered 404'],
  ])('with json, %s is one line of JSON on standard error', async (_name, line, message) => {
    const { code, out, err } = await run(line, (_seen, response) => response.writeHead(404).end('x'));
    const { error } = JSON.parse(err) as { error: { message: string; exitCode: number } };
    expect([out, error.exitCode]).toEqual(['', code]);
    expect(error.message).toContain(message);
  });

  test.each([
    ['submit DATA --iteratons 5', /unknown option '--iteratons'[^]*Did you mean --iterations/],
    ['stat', /unknown command 'stat'[^]*Did you mean status or start/],
  ])('%s is told with what may be meant', async (line, text) => {
    const { code, err } = await run(line, always(null));
    expect([code, err]).toEqual([EXIT.usage, expect.stringMatching(text)]);
  });

  test('colours are for terminals, and for those who like them', async () => {
    const answer: Answerer = (_seen, response) =>
      sendProblem(response, { status: 500, slug: 'internal', title: 'Oh' });
    expect((await run('cluster', answer, { terminal: true })).err).toContain('\u001b[31mhashcluster:');
    expect((await run('cluster --no-color', answer, { terminal: true })).err).not.toContain('\u001b');
    expect((await run('cluster', answer, { terminal: true, env: { NO_COLOR: '1' } })).err).not.toContain(
      '\u001b',
    );
  });
});
