import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian's package `faketime` puts it. Source: https://github.com/wolfcw/libfaketime */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (machine) => `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`,
);
const LIBRARY = LIBRARIES.find((file) => existsSync(file)) ?? null;

/** Why no process can have a wall clock of its own here; null where it can. */
export const WALL_CLOCK_TROUBLE = LIBRARY === null ? 'needs libfaketime' : null;

/**
 * The wall clock of one process under test, which can be set while it runs; its monotonic clock is the machine's. Made
 * before the process, which is then started with `env()`.
 */
export class WallClock {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Rejects where there is no libfaketime. */
  static async make(): Promise<WallClock> {
    if (WALL_CLOCK_TROUBLE !== null) throw new Error(WALL_CLOCK_TROUBLE);
    const clock = new WallClock(await mkdtemp(join(tmpdir(), 'hashcluster-clock-')));
    await clock.set(0);
    return clock;
  }

  get #file(): string {
    return join(this.#dir, 'offset');
  }

  /** What the process has to be started with. */
  env(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY!,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: '1',
    };
  }

  /** From the next second on the clock is ahead of the machine's by so many seconds; behind, where negative. */
  async set(seconds: number): Promise<void> {
    await writeFile(this.#file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  }

  /** Idempotent. */
  async remove(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }
}
