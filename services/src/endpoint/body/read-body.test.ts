import { describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { call } from '../testing/http-client.ts';
import { ManualClock } from '../testing/doubles.ts';
import { BodySlices } from './body-slices.ts';
import { readBody, type BodySink } from './read-body.ts';

/** A request that gives its chunks and its end even while it is paused, as node's do now and then. */
class StubbornRequest extends EventEmitter {
  readonly headers = {};
  paused = false;
  isPaused(): boolean {
    return this.paused;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

/** A sink for which every piece takes longer than its turn. */
function slowSink(clock: ManualClock) {
  const pieces: string[] = [];
  const write = (piece: Buffer): number => {
    clock.advance(50);
    pieces.push(piece.toString());
    return piece.length;
  };
  return { pieces, sink: { pieceBytes: 2, write } };
}

/** Begins to read a body into a sink; what is emitted is its chunks. */
function begin(sink: BodySink, slices: BodySlices) {
  const req = new StubbornRequest();
  return { req, reading: readBody(req as never, {} as never, sink, { maxBytes: 1_000, slices }) };
}

/** A sink that takes `takes` bytes at a time, at most, and 2 ms for that; it counts them. */
function steadySink(clock: ManualClock, takes: number) {
  const done = { bytes: 0, steps: 0 };
  const write = (piece: Buffer): number => {
    clock.advance(2);
    done.steps++;
    done.bytes += Math.min(takes, piece.length);
    return Math.min(takes, piece.length);
  };
  return { done, sink: { write } };
}

/** Runs turns of the event loop until a body is read. Resolves with what `read` says after each. */
async function turnByTurn(reading: Promise<unknown>, read: () => number): Promise<number[]> {
  const seen = [read()];
  const state = { over: false };
  void reading.then(() => (state.over = true));
  const nextTurn = async (turns: number): Promise<void> => {
    if (state.over || turns === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(read());
    await nextTurn(turns - 1);
  };
  await nextTurn(100);
  return seen;
}

function largestStep(seen: readonly number[]): number {
  return Math.max(...seen.map((value, i) => value - (seen[i - 1] ?? 0)));
}

describe('reading a body', () => {
  test('works through all of it before it says so, though the end comes early', async () => {
    const clock = new ManualClock();
    const { pieces, sink } = slowSink(clock);
    const req = new StubbornRequest();
    const slices = new BodySlices(clock);
    const reading = readBody(req as never, {} as never, sink, { maxBytes: 100, slices });
    req.emit('data', Buffer.from('abcde'));
    req.emit('data', Buffer.from('fg'));
    req.emit('end');
    req.emit('close');
    expect(pieces).toEqual(['ab']);
    expect(await reading).toBe(7);
    expect(pieces).toEqual(['ab', 'cd', 'e', 'fg']);
  });

  test('leaves the event loop to others between pieces that take long', async () => {
    const clock = new ManualClock();
    const { pieces, sink } = slowSink(clock);
    const turns = { now: 0, counting: true };
    const count = (): void => {
      turns.now++;
      if (turns.counting) setImmediate(count);
    };
    const turnOfPiece: number[] = [];
    const write = (piece: Buffer): number => {
      turnOfPiece.push(turns.now);
      return sink.write(piece);
    };
    const slices = new BodySlices(clock);
    const server = createServer((req: IncomingMessage, res: ServerResponse) => {
      readBody(req, res, { ...sink, write }, { maxBytes: 1e6, slices }).then(
        (bytes) => res.end(String(bytes)),
        (error: unknown) => res.end(String(error)),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    count();
    const { port } = server.address() as AddressInfo;
    const body = Readable.from(['abcdef', 'ghijkl', 'mnopqr']);
    const reply = await call(`http://127.0.0.1:${port}/`, { method: 'POST', body });
    turns.counting = false;
    server.close();
    expect(reply.text).toBe('18');
    expect(pieces.join('')).toBe('abcdefghijklmnopqr');
    expect(new Set(turnOfPiece).size).toBe(turnOfPiece.length);
  });

  test('takes no more than a slice of a turn for all chunks that come in it', async () => {
    const clock = new ManualClock();
    const { done, sink } = steadySink(clock, Infinity);
    const { req, reading } = begin(sink, new BodySlices(clock));
    for (let i = 0; i < 20; i++) req.emit('data', Buffer.from('x'));
    req.emit('end');
    expect(largestStep(await turnByTurn(reading, () => done.steps))).toBe(3);
    expect(await reading).toBe(20);
    expect(done.bytes).toBe(20);
  });

  test('takes no more than a slice of a turn for all bodies together, but begins each at once', async () => {
    const clock = new ManualClock();
    const slices = new BodySlices(clock);
    const { done, sink } = steadySink(clock, Infinity);
    const bodies = Array.from({ length: 6 }, () => begin(sink, slices));
    for (let i = 0; i < 5; i++) for (const { req } of bodies) req.emit('data', Buffer.from('x'));
    for (const { req } of bodies) req.emit('end');
    const seen = await turnByTurn(Promise.all(bodies.map(({ reading }) => reading)), () => done.steps);
    expect(seen[0]).toBe(6);
    expect(largestStep(seen.slice(1).map((steps) => steps - 6))).toBe(3);
    expect(done.bytes).toBe(30);
  });

  test('gives a sink again what it has not taken yet, in slices', async () => {
    const clock = new ManualClock();
    const { done, sink } = steadySink(clock, 3);
    const { req, reading } = begin(sink, new BodySlices(clock));
    req.emit('data', Buffer.alloc(60));
    req.emit('end');
    expect(largestStep(await turnByTurn(reading, () => done.steps))).toBe(3);
    expect(done).toEqual({ bytes: 60, steps: 20 });
  });
});
