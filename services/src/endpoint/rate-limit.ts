import { createHash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, MemoryStore, rateLimit, type RateLimitInfo } from 'express-rate-limit';
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
  stop(): void;
}

type Name = 'address' | 'total';

function infoOf(req: Request, name: Name): RateLimitInfo {
  return (req as unknown as Record<string, RateLimitInfo>)[`limit-${name}`]!;
}

/**
 * What a refused client is told: which limit, and when to come again.
 * Source: draft-ietf-httpapi-ratelimit-headers-08.
 */
function refusalHeaders(name: Name, info: RateLimitInfo, windowMs: number): Record<string, string> {
  const seconds = Math.max(1, Math.ceil(((info.resetTime?.getTime() ?? 0) - Date.now()) / 1000));
  const partition = createHash('sha256').update(info.key).digest().subarray(0, 9).toString('base64');
  return {
    'Retry-After': String(seconds),
    RateLimit: `"${name}";r=0;t=${seconds}`,
    'RateLimit-Policy': `"${name}";q=${info.limit};w=${Math.ceil(windowMs / 1000)};pk=:${partition}:`,
  };
}

/** IPv4 written as IPv6, as a server that listens on `::` sees it. */
const MAPPED = '::ffff:';

/** The address that is counted: of IPv6 the /56 network, which is what one customer has. */
export function addressKey(ip: string): string {
  const address = ip.startsWith(MAPPED) && ip.includes('.') ? ip.slice(MAPPED.length) : ip;
  return address.includes(':') ? ipKeyGenerator(address) : address;
}

/**
 * Counts requests, by address (IPv6 by its /56 network) and in total, in windows. Answers that are let through carry no
 * `RateLimit` headers: working these out for every answer would cost more than the count itself.
 */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { windowMs, perAddress, total, addressOf, shed } = options;
  const stores: MemoryStore[] = [];
  const limiter = (name: Name, limit: number, keyGenerator: (req: Request) => string): RequestHandler => {
    const store = new MemoryStore();
    stores.push(store);
    return rateLimit({
      ...{ windowMs, limit, store, validate: false, standardHeaders: false, legacyHeaders: false },
      requestPropertyName: `limit-${name}`,
      keyGenerator,
      handler: (req, _res, next) => {
        shed.note(`rate-${name}`);
        const whose = name === 'address' ? 'This address has' : 'All clients together have';
        const detail = `${whose} made more than ${limit} requests in ${windowMs / 1000} s.`;
        const headers = refusalHeaders(name, infoOf(req, name), windowMs);
        next(new ProblemError(problem('rate-limited', detail, { headers })));
      },
    });
  };
  const byAddress = limiter('address', perAddress, (req) => addressKey(addressOf(req) ?? ''));
  const inTotal = limiter('total', total, () => 'all');
  return {
    check: (req, res, next) => {
      void byAddress(req, res, (error?: unknown) => {
        if (error) next(error);
        else void inTotal(req, res, next);
      });
    },
    stop: () => stores.forEach((store) => store.shutdown()),
  };
}
