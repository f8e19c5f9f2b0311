import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../testing/doubles.ts';
import { aliveMessage } from '../testing/jobs.ts';
import { WorkersTable } from './workers-table.ts';

function setup() {
  const clock = new ManualClock();
  return { clock, table: new WorkersTable({ clock, deadAfterMs: 10_000 }) };
}

describe('the table of workers', () => {
  test('shows a worker as live, as draining, and as dead after ten seconds of silence', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ worker: 'a' }));
    table.heard(aliveMessage({ worker: 'b', draining: true }));
    const states = (): string[] => table.rows().map(({ state }) => state);
    expect(states()).toEqual(['live', 'draining']);
    clock.advance(9_999);
    expect(states()).toEqual(['live', 'draining']);
    clock.advance(1);
    expect(states()).toEqual(['dead', 'dead']);
  });

  test('reports a death once, and forgets the dead after a while', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ worker: 'a' }));
    expect(table.newlyDead()).toEqual([]);
    clock.advance(10_000);
    expect(table.newlyDead()).toEqual(['a']);
    expect(table.newlyDead()).toEqual([]);
    expect(table.rows()).toHaveLength(1);
    clock.advance(60_000);
    table.newlyDead();
    expect(table.rows()).toEqual([]);
  });

  test('does not mourn a worker that has left in good order', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ draining: true, jobs: 0 }));
    clock.advance(10_000);
    expect(table.newlyDead()).toEqual([]);
    expect(table.rows()).toEqual([]);
  });

  test('reports the second death of a worker that came back', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ at: 1 }));
    clock.advance(10_000);
    table.newlyDead();
    table.heard(aliveMessage({ at: 2 }));
    expect(table.rows()[0]?.state).toBe('live');
    clock.advance(10_000);
    expect(table.newlyDead()).toEqual(['w1']);
  });

  test('is not kept alive by a message that comes twice', () => {
    const { clock, table } = setup();
    const message = aliveMessage();
    table.heard(message);
    clock.advance(9_000);
    table.heard(message);
    clock.advance(1_000);
    expect(table.newlyDead()).toEqual(['w1']);
  });

  test('knows how far and how fast a job goes after two messages', () => {
    const { table } = setup();
    table.heard(aliveMessage({ at: 1_000, positions: [{ id: 'j', position: 100 }] }));
    expect(table.progressOf('j')).toEqual({ position: 100, rate: null });
    table.heard(aliveMessage({ at: 3_000, positions: [{ id: 'j', position: 500 }] }));
    expect(table.progressOf('j')).toEqual({ position: 500, rate: 200 });
    expect(table.progressOf('other')).toBeNull();
    table.ended(['j']);
    expect(table.progressOf('j')).toBeNull();
  });

  test('does not believe in a rate for ever, but a position stays reached', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ at: 1_000, positions: [{ id: 'j', position: 100 }] }));
    table.heard(aliveMessage({ at: 2_000, positions: [{ id: 'j', position: 200 }] }));
    clock.advance(10_000);
    expect(table.progressOf('j')).toEqual({ position: 200, rate: null });
  });

  test('never goes back when another worker starts from an older checkpoint', () => {
    const { table } = setup();
    table.heard(aliveMessage({ worker: 'a', positions: [{ id: 'j', position: 500 }] }));
    table.heard(aliveMessage({ worker: 'b', positions: [{ id: 'j', position: 300 }] }));
    expect(table.progressOf('j')?.position).toBe(500);
  });

  test('adds up what is not dead', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ worker: 'dead', capacity: 5_000 }));
    clock.advance(10_000);
    table.heard(aliveMessage({ worker: 'a' }));
    table.heard(aliveMessage({ worker: 'b', draining: true }));
    expect(table.totals()).toEqual({
      ...{
        live: 1,
        draining: 1,
        engines: 4,
        lanes: 32,
        freeLanes: 8,
        rate: 1_000,
        capacity: 2_000,
        held: 4_000,
      },
    });
  });

  test('remembers a limited number of positions, the latest', () => {
    const { table } = setup();
    for (let i = 0; i < 101; i++) {
      const positions = Array.from({ length: 1_000 }, (_, k) => ({ id: `${i}-${k}`, position: 5 }));
      table.heard(aliveMessage({ at: i, positions }));
    }
    expect(table.progressOf('0-0')).toBeNull();
    expect(table.progressOf('100-999')).not.toBeNull();
  });
});
