import { describe, expect, test } from '@jest/globals';
import { EngineLoop } from './engine-loop.ts';
import { emptyBlock, type EngineCommand, type EngineReport } from './engine-protocol.ts';
import type { Kernel } from './kernel.ts';

/** A kernel that takes 10 iterations off each of the first two chains, in a millisecond. */
function setup() {
  let time = 0;
  const kernel: Kernel = {
    name: 'portable',
    lanes: 2,
    run: ({ remaining, order, count }) => {
      time += 1;
      for (const slot of order.subarray(0, Math.min(2, count)))
        remaining[slot] = Math.max(0, remaining[slot]! - 10);
      return 20;
    },
  };
  const commands: EngineCommand[] = [];
  const reports: EngineReport[] = [];
  const loop = new EngineLoop({
    kernel,
    sliceMs: 50,
    attention: new Int32Array(1),
    now: () => time,
    receive: () => commands.shift(),
    send: (report) => reports.push(report),
  });
  const add = (...remaining: number[]): void => {
    const chains = emptyBlock(remaining.length);
    remaining.forEach((left, i) => {
      chains.refs[i] = left;
      chains.remaining[i] = left;
    });
    commands.push({ kind: 'add', chains, ages: Float64Array.from(remaining, (_, i) => i) });
  };
  return { loop, commands, reports, add, pass: (ms: number) => (time += ms) };
}

describe('the engine loop', () => {
  test('measures what it can do before it says that it is ready', () => {
    const { loop, reports } = setup();
    loop.begin();
    expect(reports).toEqual([{ kind: 'ready', lanes: 2, capacity: 20_000 }]);
  });

  test('reports ended chains after the slice, and forgets them', () => {
    const { loop, reports, add } = setup();
    add(5, 100);
    expect(loop.obey()).toBe(false);
    expect(loop.idle).toBe(false);
    loop.slice();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ kind: 'slice', ended: { refs: Float64Array.of(5) }, iterations: 20 });
  });

  test('reports moved chains only from time to time', () => {
    const { loop, reports, add, pass } = setup();
    add(100_000);
    loop.obey();
    loop.slice();
    loop.slice();
    expect(reports).toEqual([]);
    pass(1_000);
    loop.slice();
    expect(reports).toMatchObject([{ moved: { remaining: Float64Array.of(99_970) }, iterations: 60 }]);
  });

  test('gives chains back on request, and stops when it is told to', () => {
    const { loop, reports, commands, add } = setup();
    add(100, 200);
    loop.obey();
    commands.push({ kind: 'remove', refs: [100, 7], request: 3 }, { kind: 'stop' });
    expect(loop.obey()).toBe(true);
    expect(reports).toMatchObject([{ kind: 'removed', request: 3, chains: { refs: Float64Array.of(100) } }]);
  });
});
