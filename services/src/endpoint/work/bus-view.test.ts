import { expect, test } from '@jest/globals';
import type { BusReport } from '../../ports/bus-servers.ts';
import { ManualClock, MemoryLogger } from '../testing/doubles.ts';
import { BusView } from './bus-view.ts';

type Answer = BusReport | Error | Promise<never>;

function report(used: number): BusReport {
  return { brokers: [0], disks: [{ broker: 0, used, total: 100 }] };
}

/** A view of servers that answer in turn; an error is thrown. */
function setup(...answers: Answer[]) {
  const clock = new ManualClock();
  const logger = new MemoryLogger();
  let asked = 0;
  const servers = {
    report: async () => {
      const answer = await answers[asked++];
      if (answer instanceof Error) throw answer;
      return answer!;
    },
  };
  const view = new BusView({ servers, clock, logger });
  return { view, clock, logger, asked: () => asked };
}

test('a bus without servers has nothing to say', async () => {
  const view = new BusView({ servers: null, clock: new ManualClock(), logger: new MemoryLogger() });
  expect(await view.read()).toBeNull();
});

test('who asks first hears it at once, and so do those who ask meanwhile', async () => {
  const { view, asked } = setup(report(1));
  expect(await Promise.all([view.read(), view.read()])).toEqual([report(1), report(1)]);
  expect(asked()).toBe(1);
});

test('servers that hang keep nobody for long', async () => {
  const { view } = setup(new Promise<never>(() => undefined));
  expect(await view.read()).toBeNull();
});

test('servers are asked twice a minute, and nobody waits for what is known', async () => {
  const { view, clock, asked } = setup(report(1), report(2));
  const seen = new Set<number | undefined>();
  for (let second = 0; second < 60; second++) {
    const pending = asked();
    const read = await view.read();
    seen.add(read?.disks[0]!.used);
    if (second > 0 && asked() > pending) expect(read).toEqual(report(1));
    await view.idle();
    clock.advance(1_000);
  }
  expect([[...seen], asked()]).toEqual([[1, 2], 2]);
});

test('servers that failed to answer are asked again after three seconds', async () => {
  const { view, clock, asked } = setup(new Error('not there yet'), report(2));
  expect(await view.read()).toBeNull();
  clock.advance(2_999);
  expect([await view.read(), asked()]).toEqual([null, 1]);
  clock.advance(1);
  expect([await view.read(), asked()]).toEqual([report(2), 2]);
});

test('what was heard long ago is not known any more, and a failure is said once', async () => {
  const { view, clock, logger } = setup(report(1), new Error('away'), new Error('away'), report(4));
  const seen: (BusReport | null)[] = [];
  for (let half = 0; half < 4; half++) {
    seen.push(await view.read());
    await view.idle();
    clock.advance(30_001);
  }
  expect(seen).toEqual([report(1), report(1), null, report(4)]);
  expect(logger.lines.map(({ level }) => level)).toEqual(['warn']);
});
