import { fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { rounded } from '../../e2e/lib/statistics.ts';
import type { Service } from '../../e2e/lib/service.ts';
import { postLoad } from './post-load.ts';
import { median } from './report.ts';

const CONNECTIONS = 64;
const SECONDS = 1;
/** Slices of each server in one round. Short ones, in turn, so that a busy moment of the machine meets both. */
const SLICES = 5;

/**
 * One job a request over 64 connections, each synced to disk before its answer, against an express route that parses
 * the same body and answers a constant.
 * @returns the service's share of bare express: the median of the shares of neighbouring slices
 */
export async function singleSubmits(service: Service, rounds: number): Promise<number> {
  const bare = fork(new URL('./bare-express.ts', import.meta.url));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      bare.once('message', (message) => resolve(message as number));
      bare.once('exit', () => reject(new Error('The bare express server ended at its start')));
    });
    const load = loader();
    const express = (seconds: number): Promise<number> => load(`http://127.0.0.1:${port}`, seconds);
    const submits = (seconds: number): Promise<number> => load(service.url, seconds);
    await express(2);
    await submits(2);
    const shares: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const rates: { express: number[]; submits: number[] } = { express: [], submits: [] };
      for (let slice = 0; slice < SLICES; slice++) {
        rates.express.push(await express(SECONDS));
        rates.submits.push(await submits(SECONDS));
        shares.push(rates.submits.at(-1)! / rates.express.at(-1)!);
      }
      console.log(
        `round ${round}: bare express ${Math.round(median(rates.express))} req/s, submits ${Math.round(median(rates.submits))} req/s`,
      );
    }
    // Each runnable process beyond this bench takes its part of the processor, and of three threads more than of two.
    const range = `${rounded(Math.min(...shares))} … ${rounded(Math.max(...shares))}`;
    console.log(`shares ${range}, ${shares.length} slices; load of the machine ${rounded(loadavg()[0]!)}`);
    return rounded(median(shares), 3);
  } finally {
    bare.kill();
  }
}

/** A load of jobs that are all new. */
function loader(): (url: string, seconds: number) => Promise<number> {
  const nonce = Date.now();
  let count = 0;
  const nextBody = (): string => JSON.stringify({ data: `single ${nonce} ${count++}`, iterations: 1 });
  return (url, seconds) => postLoad({ url: `${url}/v1/jobs`, connections: CONNECTIONS, seconds, nextBody });
}
