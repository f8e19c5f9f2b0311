import { describe, expect, test } from '@jest/globals';
import { BusUnavailableError, type Bus } from '../ports/bus.ts';
import { RecordingLogger } from './testing/recording-logger.ts';
import { Teller } from './teller.ts';

const FINISHED = { id: 'a', outcome: 'cancelled', digest: null } as const;

/** A bus on which publishing becomes what the test says. */
function setup(publish: () => Promise<void>) {
  const logger = new RecordingLogger();
  let lost = 0;
  const counter = { add: (count: number): void => void (lost += count) };
  const bus = { publish } as unknown as Bus;
  return { teller: new Teller({ bus, logger, lost: counter }), logger, lost: () => lost };
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

  test('counts what is lost, and says when that begins and when it ends, not each time', async () => {
    let away = true;
    const { teller, logger, lost } = setup(() =>
      away ? Promise.reject(new BusUnavailableError('away')) : Promise.resolve(),
    );
    for (let i = 0; i < 3; i++) teller.tell('results', [FINISHED, FINISHED]);
    await teller.settled();
    away = false;
    for (let i = 0; i < 3; i++) teller.tell('results', [FINISHED]);
    await teller.settled();
    expect(lost()).toBe(6);
    const told = logger.records.map(({ level, message }) => `${level}: ${message}`);
    expect(told).toEqual([
      'warn: Messages are lost: the bus does not take them',
      'info: The bus takes messages again',
    ]);
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
