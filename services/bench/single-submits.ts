import { fork } from 'node:child_process';
import autocannon from 'autocannon';
import { rounded } from '../../e2e/lib/statistics.ts';
import type { Service } from '../../e2e/lib/service.ts';
import { median } from './report.ts';

const CONNECTIONS = 64;
const SECONDS = 5;

/**
 * One job a request over 64 connections, each synced to disk before its answer, against an express route that parses
 * the same body and answers a constant. Interleaved.
 * @returns the service's share of bare express
 */
export async function singleSubmits(service: Service, rounds: number): Promise<number> {
  const bare = fork(new URL('./bare-express.ts', import.meta.url));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      bare.once('message', (message) => resolve(message as number));
      bare.once('exit', () => reject(new Error('The bare express server ended at its start')));
    });
    const bareUrl = `http://127.0.0.1:${port}`;
    await shoot(bareUrl, 2);
    await shoot(service.url, 2);
    const shares: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [express, ours] = [await shoot(bareUrl, SECONDS), await shoot(service.url, SECONDS)];
      console.log(
        `round ${round + 1}: bare express ${Math.round(express)} req/s, submits ${Math.round(ours)} req/s`,
      );
      shares.push(ours / express);
    }
    return rounded(median(shares), 3);
  } finally {
    bare.kill();
  }
}

async function shoot(url: string, duration: number): Promise<number> {
  const result = await autocannon({
    url: `${url}/v1/jobs`,
    method: 'POST',
    connections: CONNECTIONS,
    duration,
    headers: { 'content-type': 'application/json' },
    // autocannon puts something else there for every request: every job is a new one.
    body: JSON.stringify({ data: `[<id>] ${Date.now()}`, iterations: 1 }),
    idReplacement: true,
  });
  if (result.errors || result.non2xx)
    throw new Error(`${result.errors} errors, ${result.non2xx} answers that are not 2xx`);
  return result.requests.average;
}
