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
    expect(table.rows()).toMatchObject([{ silentMs: 10_000 }]);
    clock.advance(60_000);
    table.newlyDead();
    expect(table.rows()).toEqual([]);
  });

  test('shows a worker that ended in good order as left, without a warning, and then forgets it', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ at: 1, draining: true }));
    table.heard(aliveMessage({ at: 2, draining: true, left: true, jobs: 0 }));
    expect(table.rows()).toMatchObject([{ state: 'left' }]);
    expect(table.totals()).toMatchObject({ live: 0, draining: 0, lanes: 0, capacity: 0 });
    clock.advance(10_000);
    expect(table.newlyDead()).toEqual([]);
    expect(table.rows()).toMatchObject([{ state: 'left' }]);
    clock.advance(60_000);
    expect(table.newlyDead()).toEqual([]);
    expect(table.rows()).toEqual([]);
  });

  test('shows a worker live again that comes back after it has left', () => {
    const { table } = setup();
    table.heard(aliveMessage({ left: true, draining: true, jobs: 0 }));
    table.heard(aliveMessage({ startedAt: 5_000, at: 6_000 }));
    expect(table.rows()).toMatchObject([{ state: 'live' }]);
  });

  test('does not warn of an older worker that was last heard draining without jobs', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ draining: true, jobs: 0 }));
    clock.advance(10_000);
    expect(table.newlyDead()).toEqual([]);
    expect(table.rows()).toMatchObject([{ state: 'left' }]);
  });

  const DAY = 86_400_000;
  test.each([-3_600_000, 3_600_000, -400 * DAY, 400 * DAY])(
    'hears a worker whose wall clock steps by %d ms, and measures its rate right',
    (stepMs) => {
      const { clock, table } = setup();
      table.heard(aliveMessage({ at: DAY, uptimeMs: 1_000, positions: [{ id: 'j', position: 100 }] }));
      clock.advance(9_000);
      const positions = [{ id: 'j', position: 500 }];
      table.heard(aliveMessage({ at: DAY + 2_000 + stepMs, uptimeMs: 3_000, positions }));
      clock.advance(9_000);
      expect(table.newlyDead()).toEqual([]);
      expect(table.rows()).toMatchObject([{ state: 'live' }]);
      expect(table.progressOf('j')).toEqual({ position: 500, rate: 200 });
    },
  );

  test('hears a worker that starts again under its name with a clock that is behind', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ startedAt: DAY, at: DAY + 9_000, uptimeMs: 9_000 }));
    clock.advance(10_000);
    table.newlyDead();
    table.heard(aliveMessage({ startedAt: 5, at: 6, uptimeMs: 1 }));
    expect(table.rows()).toMatchObject([{ state: 'live', alive: { startedAt: 5 } }]);
  });

  test('ignores a late message of the process that had the name before', () => {
    const { table } = setup();
    table.heard(aliveMessage({ startedAt: DAY, uptimeMs: 9_000 }));
    table.heard(aliveMessage({ startedAt: 5, uptimeMs: 1 }));
    table.heard(aliveMessage({ startedAt: DAY, uptimeMs: 9_500 }));
    expect(table.rows()).toMatchObject([{ alive: { startedAt: 5 } }]);
  });

  test('ignores a message that comes late or twice', () => {
    const { clock, table } = setup();
    table.heard(aliveMessage({ at: 1, uptimeMs: 2_000 }));
    clock.advance(9_000);
    table.heard(aliveMessage({ at: 2, uptimeMs: 2_000 }));
    table.heard(aliveMessage({ at: 3, uptimeMs: 1_000 }));
    clock.advance(1_000);
    expect(table.newlyDead()).toEqual(['w1']);
  });

  test('takes no rate from messages of two workers', () => {
    const { table } = setup();
    const said = (worker: string, position: number, uptimeMs: number) =>
      aliveMessage({ worker, uptimeMs, positions: [{ id: 'j', position }] });
    table.heard(said('a', 100, 1_000));
    table.heard(said('b', 500, 3_000));
    expect(table.progressOf('j')).toEqual({ position: 500, rate: null });
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
