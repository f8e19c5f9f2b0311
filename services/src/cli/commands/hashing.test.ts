import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../exit-codes.ts';
import { always, CommandLine, type Ran } from '../testing/command-line.ts';
import { doneJob, jobBody, type Answerer } from '../testing/fake-service.ts';
import type { TestHostOptions } from '../testing/host.ts';

const cli = new CommandLine();
beforeAll(() => cli.open());
afterAll(() => cli.close());

const run = (line: string, answer: Answerer, options?: TestHostOptions): Promise<Ran> =>
  cli.run(line, answer, options);

describe('verify', () => {
  const job = doneJob({ iterations: 1_000 });
  const node = `verify ${job.id} --backend node`;

  test('computes the digest again and says that it is right', async () => {
    const { code, out } = await run(node, always(job));
    expect([code, out]).toEqual([EXIT.ok, `right: ${job.digest}\n`]);
  });

  test('tells a wrong digest, with both', async () => {
    const wrong = doneJob({ iterations: 1_000, digest: 'ab'.repeat(64) });
    const { code, out } = await run(`${node} --output json`, always(wrong));
    expect(code).toBe(EXIT.failed);
    expect(JSON.parse(out)).toMatchObject({
      ...{ id: job.id, verdict: 'wrong', backend: 'node' },
      ...{ computed: job.digest, expected: wrong.digest },
    });
  });

  test('uses the fastest backend unless told otherwise', async () => {
    const { out } = await run(`verify ${job.id} --output json`, always(job));
    expect(JSON.parse(out)).toMatchObject({ verdict: 'right', computed: job.digest });
  });

  test.each([
    ['hello', EXIT.ok, 'right'],
    ['something else', EXIT.failed, 'wrong: the digest of - is'],
  ])('checks that the job began with %p', async (input, exitCode, text) => {
    const { code, out } = await run(`${node} --data -`, always(job), { input });
    expect(code).toBe(exitCode);
    expect(out).toContain(text);
  });

  test('of a job that has not ended is for later', async () => {
    expect((await run(node, always(jobBody({ iterations: 1_000 })))).code).toBe(EXIT.stillRunning);
  });
});

describe('bench', () => {
  test('measures a backend alone, on one core and on all engines', async () => {
    const { code, out, err, seen } = await run(
      'bench --backend node --engines 2 --time 21ms --output json',
      always(null),
    );
    expect(code).toBe(EXIT.ok);
    const { engines, backends } = JSON.parse(out) as { engines: number; backends: Record<string, number>[] };
    expect([engines, backends.map(({ backend }) => backend)]).toEqual([2, ['node']]);
    for (const rate of ['oneChain', 'oneEngine', 'allEngines']) expect(backends[0]![rate]).toBeGreaterThan(0);
    expect(err).toContain('2 engines');
    expect(seen).toHaveLength(0);
  });
});
