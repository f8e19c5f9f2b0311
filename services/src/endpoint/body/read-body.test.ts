import { describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { call } from '../testing/http-client.ts';
import { ManualClock } from '../testing/doubles.ts';
import { readBody } from './read-body.ts';

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
  const write = (piece: Buffer): void => {
    clock.advance(50);
    pieces.push(piece.toString());
  };
  return { pieces, sink: { pieceBytes: 2, write } };
}

describe('reading a body', () => {
  test('works through all of it before it says so, though the end comes early', async () => {
    const clock = new ManualClock();
    const { pieces, sink } = slowSink(clock);
    const req = new StubbornRequest();
    const reading = readBody(req as never, {} as never, sink, { maxBytes: 100, clock });
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
    const write = (piece: Buffer): void => {
      turnOfPiece.push(turns.now);
      sink.write(piece);
    };
    const server = createServer((req: IncomingMessage, res: ServerResponse) => {
      readBody(req, res, { ...sink, write }, { maxBytes: 1e6, clock }).then(
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
});
