import { createHash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import {
  ipKeyGenerator,
  rateLimit,
  type IncrementResponse,
  type RateLimitInfo,
  type Store,
} from 'express-rate-limit';
import type { Clock } from '../ports/clock.ts';
import { unmapped } from './addresses.ts';
import { ProblemError, problem } from './problems.ts';
import type { ShedLog } from './shed-log.ts';
import { WindowCounts } from './window-counts.ts';

export interface RateLimitOptions {
  readonly windowMs: number;
  /** Requests per window: of one address, and of all. */
  readonly perAddress: number;
  readonly total: number;
  readonly addressOf: (req: Request) => string | undefined;
  readonly shed: ShedLog;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface RateLimit {
  /** Lets a request through, or refuses it with `rate-limited`. Looks at nothing but its address. */
  readonly check: RequestHandler;
  /** Counts so many requests more of an address. They are not refused: those that follow are. */
  charge(address: string | undefined, units: number): void;
  stop(): void;
}

type Name = 'address' | 'total';

/** What is counted in total. */
const ALL = 'all';

/**
 * Counts a request against both limits in one go: going through express-rate-limit twice costs twice as much. The hits
 * are those of the address, and infinite when all together have used up theirs. A request that its address may not make
 * does not count in total.
 */
class BothCounts implements Store {
  readonly #perAddress: number;
  readonly #total: number;
  readonly #byAddress: WindowCounts;
  readonly #inTotal: WindowCounts;

  constructor({ perAddress, total, windowMs, clock }: RateLimitOptions) {
    this.#perAddress = perAddress;
    this.#total = total;
    this.#byAddress = new WindowCounts(windowMs, clock);
    this.#inTotal = new WindowCounts(windowMs, clock);
  }

  increment(address: string): IncrementResponse {
    const hits = this.#byAddress.add(address);
    const isTooMany = hits <= this.#perAddress && this.#inTotal.add(ALL) > this.#total;
    return { totalHits: isTooMany ? Infinity : hits, resetTime: undefined };
  }

  /** Milliseconds until the window of what was used up ends. */
  leftMs(name: Name, address: string): number {
    return name === 'address' ? this.#byAddress.leftMs(address) : this.#inTotal.leftMs(ALL);
  }

  /** As so many more hits, whether there is room for them or not. */
  charge(address: string, units: number): void {
    this.#byAddress.add(address, units);
    this.#inTotal.add(ALL, units);
  }

  decrement(address: string): void {
    this.#byAddress.add(address, -1);
    this.#inTotal.add(ALL, -1);
  }

  resetKey(address: string): void {
    this.#byAddress.forget(address);
  }

  clear(): void {
    this.#byAddress.clear();
    this.#inTotal.clear();
  }
}

/**
 * What a refused client is told: which limit, and when to come again.
 * Source: draft-ietf-httpapi-ratelimit-headers-08.
 */
function refusalHeaders(name: Name, key: string, limit: number, times: { windowMs: number; leftMs: number }) {
  const { windowMs, leftMs } = times;
  const seconds = Math.max(1, Math.ceil(leftMs / 1000));
  const partition = createHash('sha256').update(key).digest().subarray(0, 9).toString('base64');
  return {
    'Retry-After': String(seconds),
    RateLimit: `"${name}";r=0;t=${seconds}`,
    'RateLimit-Policy': `"${name}";q=${limit};w=${Math.ceil(windowMs / 1000)};pk=:${partition}:`,
  };
}

/** The address that is counted: of IPv6 the /56 network, which is what one customer has. */
export function addressKey(ip: string): string {
  const address = unmapped(ip);
  return address.includes(':') ? ipKeyGenerator(address) : address;
}

/**
 * Counts requests, by address (IPv6 by its /56 network) and in total, in windows. Answers that are let through carry no
 * `RateLimit` headers: working these out for every answer would cost more than the count itself.
 */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { windowMs, perAddress, total, addressOf, shed } = options;
  const store = new BothCounts(options);
  const limiter = rateLimit({
    ...{ windowMs, store, limit: perAddress, validate: false, standardHeaders: false, legacyHeaders: false },
    keyGenerator: ({ ip }) => addressKey(ip ?? ''),
    handler: (caller, _res, next) => {
      const info = (caller as unknown as { readonly rateLimit: RateLimitInfo }).rateLimit;
      const [name, limit]: [Name, number] =
        info.used === Infinity ? ['total', total] : ['address', perAddress];
      shed.note(`rate-${name}`);
      const whose = name === 'address' ? 'This address has' : 'All clients together have';
      const detail = `${whose} made more than ${limit} requests in ${windowMs / 1000} s; large ones count as several.`;
      const key = name === 'address' ? info.key : ALL;
      const headers = refusalHeaders(name, key, limit, { windowMs, leftMs: store.leftMs(name, info.key) });
      next(new ProblemError(problem('rate-limited', detail, { headers })));
    },
  });
  return {
    // The limiter needs nothing but the address, and express would work that out anew each time it is read.
    check: (req, res, next) => void limiter({ ip: addressOf(req) } as Request, res, next),
    charge: (address, units) => store.charge(addressKey(address ?? ''), units),
    stop: () => store.clear(),
  };
}
