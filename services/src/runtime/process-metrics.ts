import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Clock } from '../ports/clock.ts';
import type { Metrics } from '../ports/metrics.ts';
import { systemClock } from './system-clock.ts';

const DELAY_RESOLUTION_MS = 20;
/** The delays of at least this long are looked at, however often somebody reads. */
const DELAY_WINDOW_MS = 10_000;

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak callbacks',
};

/** Reads what the process costs; `stop` ends the watching. */
export interface ProcessMetrics {
  stop(): void;
}

/** Garbage collections so far, by kind: seconds and number. */
class GarbageWatch {
  readonly #seconds = new Map<string, number>();
  readonly #observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as { detail?: { kind?: number } }).detail ?? {};
      const name = GC_KINDS[kind ?? -1] ?? 'other';
      this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + entry.duration / 1000);
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  read(): { value: number; labels: { kind: string } }[] {
    return [...this.#seconds].map(([kind, value]) => ({ value, labels: { kind } }));
  }

  stop(): void {
    this.#observer.disconnect();
  }
}

/** The 99th percentile of the event loop's delay over the last window. */
class DelayWatch {
  readonly #histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
    this.#histogram.enable();
  }

  /** Seconds beyond the timer's own resolution. */
  read(): number {
    const delay = Math.max(0, this.#histogram.percentile(99) / 1e9 - DELAY_RESOLUTION_MS / 1e3);
    const now = this.#clock.monotonic();
    if (now - this.#since >= DELAY_WINDOW_MS) {
      this.#histogram.reset();
      this.#since = now;
    }
    return delay;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** Gauges of this process: memory, CPU time, event loop delay, garbage collection. */
export function observeProcess(metrics: Metrics, clock: Clock = systemClock): ProcessMetrics {
  const garbage = new GarbageWatch();
  const delay = new DelayWatch(clock);
  metrics.gauge('hashcluster.process.memory.rss', { description: 'Resident memory', unit: 'By' }, () => [
    { value: process.memoryUsage.rss() },
  ]);
  metrics.gauge('hashcluster.process.cpu.time', { description: 'CPU time used', unit: 's' }, () => {
    const { user, system } = process.cpuUsage();
    return [
      { value: user / 1e6, labels: { mode: 'user' } },
      { value: system / 1e6, labels: { mode: 'system' } },
    ];
  });
  metrics.gauge(
    'hashcluster.process.event_loop.delay.p99',
    { description: 'Event loop delay, 99th percentile of the last seconds', unit: 's' },
    () => [{ value: delay.read() }],
  );
  metrics.gauge(
    'hashcluster.process.gc.time',
    { description: 'Time spent collecting garbage', unit: 's' },
    () => garbage.read(),
  );
  return {
    stop: () => {
      garbage.stop();
      delay.stop();
    },
  };
}
