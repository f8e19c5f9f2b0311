import { describe, expect, test } from '@jest/globals';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { Health } from './health.ts';
import { TopicKeeper } from './topic-keeper.ts';
import type { TopicSpec } from './topic-specs.ts';
import type { TopicState, Wire } from './wire.ts';

const spec = (name: string): TopicSpec => ({ name, partitions: 3, replication: 1, config: {} });

/** As much of Kafka as this needs. */
class FakeWire implements Wire {
  readonly found = new Map<string, TopicState | Error>();
  readonly created: string[] = [];
  /** Why a topic may not be created. */
  readonly refused = new Map<string, string>();
  down = false;
  resets = 0;

  /** A topic that is there, with these partitions led. */
  has(name: string, partitions: number, led = [...Array(partitions).keys()]): void {
    this.found.set(name, { partitions, led });
  }

  async topics(names: readonly string[]): Promise<Map<string, TopicState | Error>> {
    if (this.down) throw new Error('nobody there');
    return new Map([...this.found].filter(([name]) => names.includes(name)));
  }

  async create({ name, partitions }: TopicSpec): Promise<void> {
    const refused = this.refused.get(name);
    if (refused) throw new Error(refused);
    this.created.push(name);
    this.has(name, partitions);
  }

  async ends(): Promise<Map<number, number>> {
    return new Map([[0, 0]]);
  }

  readonly settings = new Map<string, Map<string, string>>();

  async configs(): Promise<Map<string, Map<string, string>>> {
    return this.settings;
  }

  async reset(): Promise<void> {
    this.resets++;
  }

  produce = async (): Promise<void> => {};
  open = async (): Promise<never> => {
    throw new Error('not here');
  };
  close = async (): Promise<void> => {};
}

function openKeeper() {
  const wire = new FakeWire();
  const logger = new RecordingLogger();
  const health = new Health(logger, systemClock);
  const keeper = new TopicKeeper({ wire, specs: [spec('a'), spec('b')], health, logger });
  return { wire, logger, health, keeper };
}

describe('the keeper of topics', () => {
  test('creates what is missing, and only that', async () => {
    const { wire, keeper, health } = openKeeper();
    wire.has('a', 7);
    await keeper.check();
    expect(wire.created).toEqual(['b']);
    expect(['a', 'b', 'c'].map((name) => keeper.led(name).length)).toEqual([7, 3, 0]);
    expect(health.trouble).toBeNull();
  });

  test('creates again what was deleted', async () => {
    const { wire, keeper } = openKeeper();
    await keeper.check();
    wire.found.clear();
    await keeper.check();
    expect(wire.created).toEqual(['a', 'b', 'a', 'b']);
  });

  test('looks once for all who ask at the same time', async () => {
    const { wire, keeper } = openKeeper();
    await Promise.all([keeper.check(), keeper.check(), keeper.check()]);
    expect(wire.created).toEqual(['a', 'b']);
  });

  test('says once that Kafka cannot be used, and once that it can again', async () => {
    const { wire, keeper, health, logger } = openKeeper();
    wire.down = true;
    await expect(keeper.check()).rejects.toThrow('nobody there');
    await expect(keeper.check()).rejects.toThrow('nobody there');
    expect(health.trouble).toContain('nobody there');
    expect(wire.resets).toBe(2);
    wire.down = false;
    await keeper.check();
    expect(logger.lines).toEqual([
      'warn Kafka cannot be used; jobs go on through the store',
      'info Kafka can be used again',
    ]);
  });

  test('looks by itself as long as it runs', async () => {
    const { wire, keeper } = openKeeper();
    wire.down = true;
    keeper.start();
    keeper.start();
    await expect(keeper.check()).rejects.toThrow();
    wire.down = false;
    while (keeper.led('a').length === 0) await new Promise((resolve) => setImmediate(resolve));
    await keeper.stop();
    await keeper.stop();
  });

  test('uses what is led when some partitions have no leader, and names the others', async () => {
    const { wire, keeper, health } = openKeeper();
    wire.has('a', 3, [0, 2]);
    wire.has('b', 3);
    await keeper.check();
    expect([keeper.led('a'), keeper.led('b')]).toEqual([
      [0, 2],
      [0, 1, 2],
    ]);
    expect(health.trouble).toBe('part of Kafka cannot be used: a: 1 of 3 partitions have no leader');
    expect(health.downMs).toBe(0);
    wire.has('a', 3);
    await keeper.check();
    expect(health.trouble).toBeNull();
  });

  test.each([
    ['may not be described', (wire: FakeWire) => wire.found.set('a', new Error('not authorized'))],
    ['may not be created', (wire: FakeWire) => wire.refused.set('a', 'not authorized')],
  ])('uses the other topics when one %s, and says why', async (_, forbid) => {
    const { wire, keeper, health } = openKeeper();
    forbid(wire);
    await keeper.check();
    expect([keeper.led('a'), keeper.led('b')]).toEqual([[], [0, 1, 2]]);
    expect(health.trouble).toBe('part of Kafka cannot be used: a: not authorized');
    expect(keeper.unusableMs('a')).toBeGreaterThan(0);
    expect(keeper.unusableMs('b')).toBe(0);
  });

  test('names wrong settings of a topic once, and says so as long as they refuse all messages', async () => {
    const { wire, keeper, health, logger } = openKeeper();
    wire.settings.set('a', new Map([['cleanup.policy', 'compact']]));
    wire.settings.set('b', new Map([['max.message.bytes', '1000']]));
    await keeper.check();
    await keeper.check();
    expect(health.trouble).toMatch(/^part of Kafka cannot be used: a: cleanup\.policy=compact refuses/);
    expect(logger.lines).toEqual(
      Array.from({ length: 2 }, () => 'warn A topic has settings with which messages are refused or lost'),
    );
  });

  test('says that Kafka cannot be used when no topic can, and why', async () => {
    const { wire, keeper, health } = openKeeper();
    for (const name of ['a', 'b']) wire.found.set(name, new Error('not authorized'));
    await expect(keeper.check()).rejects.toThrow('not authorized');
    expect(health.trouble).toBe('Kafka cannot be used: a: not authorized; b: not authorized');
  });
});
