import type { BusReport, BusServers } from '../../ports/bus-servers.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { settlesWithin } from '../../runtime/deadline.ts';

/** Disks fill slowly: the servers of the bus are asked this often at most, in milliseconds, and only while somebody wants to know. */
const VALID_MS = 30_000;
/** After a failure they are asked again sooner: whoever has just begun may have come before the bus. */
const AGAIN_MS = 3_000;
/** What was heard longer ago than this is not known any more. */
const OLD_MS = 60_000;
/** Who asks when nothing is known waits this long at most, in milliseconds. */
const FIRST_MS = 1_000;

export interface BusViewOptions {
  /** Null: the bus has no servers. */
  readonly servers: BusServers | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** What the servers of the bus last said. */
export class BusView {
  readonly #options: BusViewOptions;
  #heard: { readonly report: BusReport; readonly at: number } | null = null;
  #dueAt = -Infinity;
  #asking: Promise<void> | null = null;
  #fails = false;

  constructor(options: BusViewOptions) {
    this.#options = options;
  }

  /** Null: not known. Asks anew when that is due; who asks waits for the answer only where nothing is known. */
  async read(): Promise<BusReport | null> {
    const { servers, clock } = this.#options;
    const now = clock.monotonic();
    if (servers && !this.#asking && now >= this.#dueAt) {
      this.#dueAt = now + VALID_MS;
      this.#asking = this.#ask(servers).finally(() => (this.#asking = null));
    }
    if (this.#asking && this.#known() === null) await settlesWithin(this.#asking, FIRST_MS);
    return this.#known();
  }

  /** Resolves when nobody is being asked. Never rejects; the port bounds how long that takes. */
  async idle(): Promise<void> {
    await this.#asking;
  }

  #known(): BusReport | null {
    const { clock } = this.#options;
    return this.#heard && clock.monotonic() - this.#heard.at <= OLD_MS ? this.#heard.report : null;
  }

  async #ask(servers: BusServers): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      this.#heard = { report: await servers.report(), at: clock.monotonic() };
      this.#fails = false;
    } catch (error) {
      // Said once: it is asked again and again, and nothing but the view of the disks depends on it.
      if (!this.#fails) logger.warn('The servers of the bus do not say how full they are', { error });
      this.#fails = true;
      this.#dueAt = clock.monotonic() + AGAIN_MS;
    }
  }
}
