import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from '../../e2e/lib/client.ts';
import { startService, type Service } from '../../e2e/lib/service.ts';
import { rounded } from '../../e2e/lib/statistics.ts';
import { residentBytes } from './history.ts';
import { median, printMachine, printResult, si } from './report.ts';
import { UNLIMITED } from './service.ts';

const HELP = `A body of 1 GiB, and 200 slow clients beside quick ones.

  npm run bench -- bodies [--mib 1024] [--slow 200]

grownMib  mebibytes of resident memory added, at most, while the body streams in
goodput   submits per second beside the slow clients, by submits per second without them`;

const CHUNK = Buffer.alloc(1 << 20, 'x');
const SECONDS = 4;
const ROUNDS = 3;

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      mib: { type: 'string', default: '1024' },
      slow: { type: 'string', default: '200' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const dir = await mkdtemp(join(tmpdir(), 'hashcluster-bodies-'));
  const service = await startService({ dataDir: dir, env: UNLIMITED });
  try {
    await quickSubmits(service);
    const grownMib = (await streamBody(service, Number(values.mib))) / (1 << 20);
    const goodput = await besideSlowClients(service, Number(values.slow));
    printResult('bodies', { goodput: rounded(goodput, 3) }, { grownMib: rounded(grownMib, 1) });
  } finally {
    await service.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Bytes of resident memory added at most while the body came in. */
async function streamBody(service: Service, mib: number): Promise<number> {
  const before = await residentBytes(service.pid);
  let most = before;
  const { status, seconds } = await new Promise<{ status: number; seconds: number }>((resolve, reject) => {
    const start = performance.now();
    const put = request(`${service.url}/enqueue?iterations=1`, { method: 'PUT' }, (answer) => {
      answer.resume().once('end', () => {
        resolve({ status: answer.statusCode!, seconds: (performance.now() - start) / 1_000 });
      });
    }).once('error', reject);
    let sent = 0;
    const more = (): void => {
      while (sent < mib) if ((sent++, !put.write(CHUNK))) return void put.once('drain', look);
      put.end();
    };
    const look = (): void => {
      if (sent % 16 !== 0) return more();
      residentBytes(service.pid).then((now) => ((most = Math.max(most, now)), more()), reject);
    };
    more();
  });
  if (status !== 200) throw new Error(`The body was answered with ${status}`);
  console.log(`${mib} MiB in ${seconds.toFixed(1)} s; memory ${si(before)}B, at most ${si(most)}B`);
  return most - before;
}

/** Submits per second with the slow clients by those without, interleaved. */
async function besideSlowClients(service: Service, count: number): Promise<number> {
  const shares: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const without = await quickSubmits(service);
    const slow = slowClients(new URL(service.url), count);
    const beside = await quickSubmits(service);
    slow.end();
    console.log(
      `round ${round + 1}: ${Math.round(without)} submits/s alone, ${Math.round(beside)} beside ${count} slow clients`,
    );
    shares.push(beside / without);
  }
  return median(shares);
}

async function quickSubmits(service: Service): Promise<number> {
  const client = new Client(service.url);
  const end = performance.now() + SECONDS * 1_000;
  let done = 0;
  const submit = async (): Promise<void> => {
    for (; performance.now() < end; done++)
      await client.submit({ data: `bodies ${randomUUID()}`, iterations: 1 });
  };
  await Promise.all(Array.from({ length: 16 }, submit));
  return done / SECONDS;
}

/** Clients that send a byte now and then, half of them of their headers and half of their bodies; they come back when dropped. */
function slowClients({ hostname, port }: URL, count: number): { end(): void } {
  const sockets = new Set<Socket>();
  let ended = false;
  const open = (i: number): void => {
    if (ended) return;
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    socket.write(
      `PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: bench\r\n${i % 2 ? 'Content-Length: 100000\r\n\r\n' : ''}`,
    );
    socket
      .on('error', () => {})
      .once('close', () => {
        sockets.delete(socket);
        setTimeout(() => open(i), 100);
      });
  };
  for (let i = 0; i < count; i++) open(i);
  const timer = setInterval(() => {
    for (const socket of sockets) socket.write('X');
  }, 250);
  return {
    end: () => {
      ended = true;
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}
