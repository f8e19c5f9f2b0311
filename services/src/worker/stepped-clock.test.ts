import { afterEach, expect, test } from '@jest/globals';
import type { Alive } from '../jobs/messages.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { facts, LONG, positionOf, startWorkshop, submit, until } from './testing/kit.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let close = (): Promise<void> => Promise.resolve();
afterEach(() => close());

test.each([-HOUR_MS, HOUR_MS, -400 * DAY_MS, 400 * DAY_MS])(
  'a worker whose wall clock steps by %d ms goes on writing checkpoints and announcing itself',
  async (stepMs) => {
    const shop = await startWorkshop();
    ({ close } = shop);
    const { store, bus } = shop;
    let stepped = 0;
    const clock = { now: () => systemClock.now() + stepped, monotonic: () => systemClock.monotonic() };
    const heard: Alive[] = [];
    await bus.subscribe('alive', { group: null, maxBatch: 10 }, ({ messages }) => {
      heard.push(...messages);
      return Promise.resolve();
    });
    await shop.startWorker({}, { clock });
    const job = facts('stepped', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
    stepped = stepMs;
    const [before, told] = [await positionOf(store, job), heard.length];
    await until(async () => (await positionOf(store, job)) > before && heard.length > told + 1);
    const uptimes = heard.map(({ uptimeMs }) => uptimeMs!);
    expect(uptimes.slice(1).every((each, i) => each > uptimes[i]!)).toBe(true);
  },
);
