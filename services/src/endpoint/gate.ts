import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { Clock } from '../ports/clock.ts';
import { allowList } from './allow-list.ts';
import { problem, ProblemError } from './problems.ts';
import { createRateLimit } from './rate-limit.ts';
import type { EndpointSettings } from './settings.ts';
import type { ShedLog } from './shed-log.ts';

/** Who gets in. Looks at nothing of a request but its address. */
export interface Gate {
  /** Lets a request through, or refuses it with `draining`, `forbidden` or `rate-limited`. */
  readonly check: RequestHandler;
  /** Counts a request that was let through as so many more, once it is known what it costs. */
  charge(req: IncomingMessage, units: number): void;
  /** From now on every request is turned away. */
  refuseAll(): void;
  stop(): void;
}

/** Tells a client to go elsewhere with its next request. */
const CLOSE = { headers: { Connection: 'close' } };

/** The gate of an endpoint: closed while it stops, and otherwise open to whom it may concern, within the rate limits. */
export function createGate(settings: EndpointSettings, shed: ShedLog, clock: Clock): Gate {
  const isBehindProxy = settings.trustProxyHops > 0;
  const addressOf = (req: Request) => (isBehindProxy ? req.ip : req.socket.remoteAddress);
  const limit = createRateLimit({
    ...{ addressOf, shed, clock, windowMs: settings.rateWindowMs },
    ...{ perAddress: settings.rateLimitPerAddress, total: settings.rateLimitTotal },
  });
  const isOpenToAll = settings.allowedClients.length === 0;
  const isAllowed = allowList(settings.allowedClients);
  const stopping = new ProblemError(
    problem('draining', 'This endpoint is stopping. Try another, or try again in a moment.', CLOSE),
  );
  const forbidden = new ProblemError(problem('forbidden', 'The service is not open to this address.', CLOSE));
  let isClosed = false;
  return {
    check: (req, res, next) => {
      if (isClosed) next(stopping);
      // Express works the address out anew each time: not where nobody asks for it.
      else if (isOpenToAll || isAllowed(addressOf(req))) limit.check(req, res, next);
      else {
        shed.note('address');
        next(forbidden);
      }
    },
    charge: (req, units) => limit.charge(addressOf(req as Request), units),
    refuseAll: () => {
      isClosed = true;
    },
    stop: () => limit.stop(),
  };
}
