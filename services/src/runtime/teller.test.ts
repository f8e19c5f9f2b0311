import { describe, expect, test } from '@jest/globals';
import { BusUnavailableError, type Bus } from '../ports/bus.ts';
import { RecordingLogger } from './testing/recording-logger.ts';
import { Teller } from './teller.ts';

const FINISHED = { id: 'a', outcome: 'cancelled', digest: null } as const;

/** A bus on which publishing becomes what the test says. */
function setup(publish: (topic: string) => Promise<void>) {
  const logger = new RecordingLogger();
  let lost = 0;
  const counter = { add: (count: number): void => void (lost += count) };
  const bus = { publish } as unknown as Bus;
  let now = 0;
  const clock = { monotonic: () => now };
  const teller = new Teller({ bus, logger, lost: counter, clock });
  const pass = (ms: number): void => void (now += ms);
  return { teller, logger, lost: () => lost, pass };
}

describe('a teller', () => {
  test('does not wait for the bus, until it is asked to', async () => {
    let taken = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { teller } = setup(() => promise.then(() => void taken++));
    teller.tell('results', [FINISHED]);
    teller.tell('results', []);
    const settled = teller.settled();
    expect(taken).toBe(0);
    resolve();
    await settled;
    expect(taken).toBe(1);
  });

  test('counts what is lost, and says so once a topic and minute, until a minute has passed without', async () => {
    const away = new Set<string>();
    const { teller, logger, lost, pass } = setup((topic) =>
      away.has(topic) ? Promise.reject(new BusUnavailableError('away')) : Promise.resolve(),
    );
    const tellFor = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++, pass(1_000)) {
        teller.tell('results', [FINISHED, FINISHED]);
        teller.tell('control', [{ kind: 'cancel', id: 'a' }]);
        await teller.settled();
      }
    };
    away.add('results');
    await tellFor(90);
    expect(lost()).toBe(180);
    away.clear();
    await tellFor(90);
    const told = logger.records.map(({ level, fields }) => [level, fields['topic'], fields['lost']]);
    expect(told).toEqual([
      ['warn', 'results', 2],
      ['warn', 'results', 120],
      ['info', 'results', 180],
    ]);
  });

  test('does not say by turns that messages are lost and taken again', async () => {
    let calls = 0;
    const { teller, logger, pass } = setup(() =>
      calls++ % 2 === 0 ? Promise.reject(new BusUnavailableError('away')) : Promise.resolve(),
    );
    for (let second = 0; second < 119; second++, pass(1_000)) {
      teller.tell('results', [FINISHED]);
      await teller.settled();
    }
    expect(logger.records.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  test('has only so much under way on a bus that hangs; the rest is lost at once', async () => {
    let begun = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { teller, lost } = setup(() => {
      begun++;
      return promise;
    });
    for (let i = 0; i < 1_500; i++) teller.tell('results', [FINISHED]);
    expect([begun, lost()]).toEqual([1_000, 500]);
    resolve();
    await teller.settled();
  });
});
