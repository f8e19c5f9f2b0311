import type { IncomingMessage } from 'node:http';
import type { IsOwnHost } from '../../runtime/host-names.ts';
import { problem, type Problem } from '../problems.ts';

const VERSIONS: readonly string[] = ['1.1', '1.0'];
/** The connection cannot go on: nobody knows where the next request begins. */
const CLOSE = { headers: { Connection: 'close' } };

/** How many `Host` headers there are: node keeps the first and drops the others unseen. */
function hostCount({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') count++;
  return count;
}

function hostTrouble(req: IncomingMessage, isOwnHost: IsOwnHost): Problem | null {
  const { host } = req.headers;
  const count = hostCount(req);
  if (count > 1) return problem('malformed-request', 'There is more than one Host header.', CLOSE);
  if (host === undefined)
    return req.httpVersion === '1.0' ? null : problem('malformed-request', 'The Host header is missing.');
  if (isOwnHost(host)) return null;
  const detail = 'This service does not go by the name in the Host header; ALLOWED_HOSTS lists others.';
  return problem('misdirected', detail);
}

/**
 * What is wrong with a request before anybody looks at what it asks for; null when nothing is. Node takes all of these.
 * Source: RFC 9112 §2.3 (version), §3.2 (Host), §6.1 (codings that are not known: 501).
 */
export function protocolTrouble(req: IncomingMessage, isOwnHost: IsOwnHost): Problem | null {
  if (!VERSIONS.includes(req.httpVersion))
    return problem('malformed-request', 'Only HTTP/1.1 and HTTP/1.0 are spoken here.', CLOSE);
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return problem(
      'not-implemented',
      `Transfer-Encoding may be chunked only, not ${coding.slice(0, 100)}.`,
      CLOSE,
    );
  return hostTrouble(req, isOwnHost);
}
