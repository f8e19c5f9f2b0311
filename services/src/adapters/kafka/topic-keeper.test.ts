import { describe, expect, test } from '@jest/globals';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { Health } from './health.ts';
import { TopicKeeper } from './topic-keeper.ts';
import type { TopicSpec } from './topic-specs.ts';
import type { Wire } from './wire.ts';

const spec = (name: string): TopicSpec => ({ name, partitions: 3, replication: 1, config: {} });

/** As much of Kafka as this needs. */
class FakeWire implements Wire {
  readonly topics = new Map<string, number>();
  readonly created: string[] = [];
  down = false;
  resets = 0;

  async partitions(names: readonly string[]): Promise<Map<string, number>> {
    if (this.down) throw new Error('nobody there');
    return new Map([...this.topics].filter(([name]) => names.includes(name)));
  }

  async create(specs: readonly TopicSpec[]): Promise<void> {
    for (const { name, partitions } of specs) {
      this.created.push(name);
      this.topics.set(name, partitions);
    }
  }

  async ends(): Promise<number[]> {
    return [0];
  }

  async reset(): Promise<void> {
    this.resets++;
  }

  produce = async (): Promise<void> => {};
  open = (): never => {
    throw new Error('not here');
  };
  close = async (): Promise<void> => {};
}

function openKeeper() {
  const wire = new FakeWire();
  const logger = new RecordingLogger();
  const health = new Health(logger, systemClock);
  const keeper = new TopicKeeper({ wire, specs: [spec('a'), spec('b')], health });
  return { wire, logger, health, keeper };
}

describe('the keeper of topics', () => {
  test('creates what is missing, and only that', async () => {
    const { wire, keeper, health } = openKeeper();
    wire.topics.set('a', 7);
    await keeper.check();
    expect(wire.created).toEqual(['b']);
    expect([keeper.partitions('a'), keeper.partitions('b'), keeper.partitions('c')]).toEqual([7, 3, 0]);
    expect(health.trouble).toBeNull();
  });

  test('creates again what was deleted', async () => {
    const { wire, keeper } = openKeeper();
    await keeper.check();
    wire.topics.clear();
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
    while (keeper.partitions('a') === 0) await new Promise((resolve) => setImmediate(resolve));
    await keeper.stop();
    await keeper.stop();
  });
});
