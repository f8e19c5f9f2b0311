import { createHash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import {
  ipKeyGenerator,
  MemoryStore,
  rateLimit,
  type IncrementResponse,
  type Options,
  type RateLimitInfo,
  type Store,
} from 'express-rate-limit';
import { unmapped } from './addresses.ts';
import { ProblemError, problem } from './problems.ts';
import type { ShedLog } from './shed-log.ts';

export interface RateLimitOptions {
  readonly windowMs: number;
  /** Requests per window: of one address, and of all. */
  readonly perAddress: number;
  readonly total: number;
  readonly addressOf: (req: Request) => string | undefined;
  readonly shed: ShedLog;
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
  readonly #byAddress = new MemoryStore();
  readonly #inTotal = new MemoryStore();

  constructor({ perAddress, total }: Pick<RateLimitOptions, 'perAddress' | 'total'>) {
    this.#perAddress = perAddress;
    this.#total = total;
  }

  init(options: Options): void {
    this.#byAddress.init(options);
    this.#inTotal.init(options);
  }

  async increment(address: string): Promise<IncrementResponse> {
    const own = await this.#byAddress.increment(address);
    if (own.totalHits > this.#perAddress) return own;
    const { totalHits, resetTime } = await this.#inTotal.increment(ALL);
    return totalHits > this.#total ? { totalHits: Infinity, resetTime } : own;
  }

  /** As so many more hits, whether there is room for them or not. */
  charge(address: string, units: number): void {
    for (let i = 0; i < units; i++) {
      void this.#byAddress.increment(address);
      void this.#inTotal.increment(ALL);
    }
  }

  async decrement(address: string): Promise<void> {
    await Promise.all([this.#byAddress.decrement(address), this.#inTotal.decrement(ALL)]);
  }

  resetKey(address: string): Promise<void> {
    return this.#byAddress.resetKey(address);
  }

  shutdown(): void {
    this.#byAddress.shutdown();
    this.#inTotal.shutdown();
  }
}

/**
 * What a refused client is told: which limit, and when to come again.
 * Source: draft-ietf-httpapi-ratelimit-headers-08.
 */
function refusalHeaders(name: Name, limit: number, windowMs: number, info: RateLimitInfo) {
  const seconds = Math.max(1, Math.ceil(((info.resetTime?.getTime() ?? 0) - Date.now()) / 1000));
  const key = name === 'address' ? info.key : ALL;
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
      const headers = refusalHeaders(name, limit, windowMs, info);
      next(new ProblemError(problem('rate-limited', detail, { headers })));
    },
  });
  return {
    // The limiter needs nothing but the address, and express would work that out anew each time it is read.
    check: (req, res, next) => void limiter({ ip: addressOf(req) } as Request, res, next),
    charge: (address, units) => store.charge(addressKey(address ?? ''), units),
    stop: () => store.shutdown(),
  };
}
