import { afterEach, describe, expect, test } from '@jest/globals';
import type { JobBody } from './api.ts';
import { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { followJob } from './follow.ts';
import {
  doneJob,
  jobBody,
  sendEvents,
  sendJson,
  sendProblem,
  startFakeService,
  type Answerer,
  type FakeService,
} from './testing/fake-service.ts';

let service: FakeService | null = null;
afterEach(async () => service?.stop());

const controller = new AbortController();

async function follow(answer: Answerer, signal = controller.signal): Promise<JobBody[]> {
  service = await startFakeService(answer);
  const notice = (): void => undefined;
  const client = new Client({
    server: new URL(service.url),
    budgetMs: 5_000,
    userAgent: 'test/1',
    signal,
    notice,
  });
  const jobs: JobBody[] = [];
  for await (const job of followJob(client, jobBody({ iterations: 100 }).id, signal)) jobs.push(job);
  return jobs;
}

const queued = jobBody({ iterations: 100 });
const running = (position: number): JobBody => jobBody({ iterations: 100, state: 'running', position });
const done = doneJob({ iterations: 100 });

describe('following a job', () => {
  test('shows every event and ends with the last', async () => {
    const jobs = await follow((_seen, response) => sendEvents(response, [queued, running(40), done]));
    expect(jobs).toEqual([queued, running(40), done]);
    expect(service!.seen[0]!.headers).toMatchObject({ accept: 'text/event-stream' });
    expect(service!.seen[0]!.headers).not.toHaveProperty('last-event-id');
  });

  test('ends at once when the job has ended, and leaves the stream', async () => {
    const jobs = await follow((_seen, response) => sendEvents(response, [done], false));
    expect(jobs).toEqual([done]);
  });

  test('goes on where it stood when the stream is cut, ends, or the service is away', async () => {
    const jobs = await follow((_seen, response, index) => {
      if (index === 0) sendEvents(response, [running(40)]);
      else if (index === 1) sendProblem(response, { status: 503, slug: 'unavailable', title: 'Away' });
      else if (index === 2) {
        sendEvents(response, [running(60)], false);
        setImmediate(() => response.destroy());
      } else sendEvents(response, [running(80), done]);
    });
    expect(jobs.map(({ position }) => position)).toEqual([40, 60, 80, 100]);
    const ids = service!.seen.map(({ headers }) => headers['last-event-id']);
    expect(ids).toEqual([undefined, '40', '40', '60']);
  });

  test('goes on as often as it takes, as long as every connection brings something', async () => {
    const jobs = await follow((_seen, response, index) =>
      sendEvents(response, [index < 8 ? running(index + 2) : done]),
    );
    expect(jobs).toHaveLength(9);
  });

  test('gives up on a service that ends the stream again and again without a word', async () => {
    await expect(follow((_seen, response) => sendEvents(response, []))).rejects.toMatchObject({
      exitCode: EXIT.unavailable,
    });
    expect(service!.seen.length).toBeGreaterThan(2);
    expect(service!.seen.length).toBeLessThan(20);
  });

  test.each<[string, Answerer, number]>([
    [
      'of an unknown job',
      (_seen, response) => sendProblem(response, { status: 404, slug: 'not-found', title: 'No such job' }),
      EXIT.notFound,
    ],
    [
      'with an answer that is no stream',
      (_seen, response) => sendJson(response, 200, queued),
      EXIT.unavailable,
    ],
    [
      'with an event that is no job',
      (_seen, response) =>
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {}\n\n'),
      EXIT.unavailable,
    ],
  ])('%s is an error', async (_name, answer, exitCode) => {
    await expect(follow(answer)).rejects.toMatchObject({ exitCode });
  });

  test('can be interrupted while nothing happens', async () => {
    const interruption = new AbortController();
    const following = follow((_seen, response) => {
      sendEvents(response, [queued], false);
      interruption.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
    }, interruption.signal);
    await expect(following).rejects.toMatchObject({ exitCode: EXIT.interrupted });
  });
});
