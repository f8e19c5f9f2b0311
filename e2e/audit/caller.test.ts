import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Caller } from './caller.ts';
import { History, type Asked } from './history.ts';
import { JobMix, Reference } from './job-mix.ts';
import { Load } from './load.ts';

const JOB: Asked = { name: 'a', body: { data: 'a', iterations: 3 }, chain: 'c', answer: 'x' };
const SHOWN = { id: 'i', state: 'queued', position: 1, digest: null };
const ACKNOWLEDGED = { kind: 'acknowledged', id: 'i', state: 'queued', digest: null };
const problem = (slug: string): string => JSON.stringify({ type: `https://hashcluster.io/problems/${slug}` });

let server: Server;
let answer: (req: IncomingMessage, res: ServerResponse, body: string) => void;
let caller: Caller;

beforeEach(async () => {
  server = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += String(chunk))).on('end', () => answer(req, res, body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  caller = new Caller('endpoint', () => `http://127.0.0.1:${port}`);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const says =
  (status: number, text: string) =>
  (_: IncomingMessage, res: ServerResponse): void =>
    void res.writeHead(status).end(text);

describe('a client that trusts nothing', () => {
  test.each([
    ['acknowledged', says(202, JSON.stringify(SHOWN)), ACKNOWLEDGED],
    ['refused', says(429, problem('rate-limited')), { kind: 'refused', status: 429 }],
    ['refused', says(503, problem('draining')), { kind: 'refused', status: 503 }],
    ['unknown', says(503, problem('unavailable')), { kind: 'unknown' }],
    ['unknown', says(202, '{"id":"i","sta'), { kind: 'unknown' }],
    ['unknown', (_: IncomingMessage, res: ServerResponse) => void res.destroy(), { kind: 'unknown' }],
  ])('takes an answer as %s', async (...[, behaviour, outcome]) => {
    answer = behaviour;
    expect(await caller.submit(JOB)).toMatchObject(outcome);
  });

  test('has an outcome for each job of a batch, also where the answer is cut off', async () => {
    answer = says(
      200,
      `{"status":202,"job":${JSON.stringify(SHOWN)}}\n{"status":503,"problem":${problem('draining')}}\n{"sta`,
    );
    expect(await caller.submitMany([JOB, JOB, JOB])).toMatchObject([
      ACKNOWLEDGED,
      { kind: 'refused', status: 503 },
      { kind: 'unknown' },
    ]);
  });

  test('does not know what became of a batch that nobody answered', async () => {
    answer = (_, res) => void res.destroy();
    expect(await caller.submitMany([JOB, JOB])).toMatchObject([{ kind: 'unknown' }, { kind: 'unknown' }]);
  });
});

describe('load', () => {
  test('asks again, under the same content, until everything is acknowledged', async () => {
    let requests = 0;
    answer = (req, res, body) => {
      if (requests++ % 3 === 0) return void res.destroy();
      if (req.method === 'DELETE') return void res.writeHead(200).end(JSON.stringify(SHOWN));
      const jobs = body.trim().split('\n');
      const shown = jobs.map((job) => JSON.stringify({ ...SHOWN, id: job }));
      const lines = req.headers['content-type'] === 'application/x-ndjson';
      res.writeHead(200).end(lines ? shown.map((job) => `{"status":202,"job":${job}}`).join('\n') : shown[0]);
    };
    const history = new History();
    const mix = new JobMix({
      seed: 'test',
      reference: await Reference.make(),
      long: { count: 1, strides: 4 },
    });
    const load = new Load({ callers: [caller], mix, history, seed: 'test' });
    load.start();
    expect(await load.acknowledged(40, 30_000)).toBe(true);
    await load.finish(30_000);
    expect([...history.acknowledged.keys()].sort()).toEqual([...history.asked.keys()].sort());
    expect(history.attempts.filter(({ outcome }) => outcome.kind === 'unknown').length).toBeGreaterThan(5);
  }, 60_000);
});
