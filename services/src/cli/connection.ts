import { CliError, EXIT } from './exit-codes.ts';
import { printable } from './format.ts';
import type { Trouble } from './retry.ts';

/** Turns what `fetch` throws into what the user is told. Pure. */

const PASSING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ETIMEDOUT: 'there was no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'there was no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'there was no answer in time',
  UND_ERR_BODY_TIMEOUT: 'there was no answer in time',
  STALLED: 'there was no answer in time',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  EAI_AGAIN: 'the name service does not answer',
};

const PLAIN = 'it speaks HTTP, not HTTPS: write http:// in --server';

const LASTING: Readonly<Record<string, string>> = {
  // What OpenSSL says of a first byte that is none of TLS; which of them depends on its version.
  ERR_SSL_WRONG_VERSION_NUMBER: PLAIN,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: PLAIN,
  ERR_SSL_HTTP_REQUEST: PLAIN,
  EPROTO: PLAIN,
  ENOTFOUND: 'there is no host of that name',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'the file changed while it was sent',
};

/** What `fetch` says in other words than a user's. Source: WHATWG Fetch, 2.9 "Port blocking". */
const WORDS: Readonly<Record<string, string>> = {
  'bad port':
    'HTTP clients refuse to use this port, which belongs to another protocol; let the service use another',
};

const HINT = ['Start a service with: hashcluster start', 'or name another one with: --server URL'];

interface Coded {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly message?: unknown;
}

/** The error that lies under `fetch failed`: the cause's cause, or the first of several. */
function rootOf(error: unknown): Coded {
  let root = (error ?? {}) as Coded;
  for (let depth = 0; depth < 5 && typeof root.code !== 'string'; depth++) {
    const next = root.cause ?? root.errors?.[0];
    if (typeof next !== 'object' || next === null) break;
    root = next;
  }
  return root;
}

/** The code of a failed request, such as `ECONNREFUSED`; null when it has none. */
export function codeOf(error: unknown): string | null {
  const { code } = rootOf(error);
  return typeof code === 'string' ? code : null;
}

/** What a failed request means, and whether asking again may help. */
export function connectionTrouble(error: unknown, server: string): Trouble {
  const code = codeOf(error);
  const passing = code === null ? undefined : PASSING[code];
  const lasting = code === null ? undefined : LASTING[code];
  const root = rootOf(error);
  const message = String(root.message ?? error);
  const why = passing ?? lasting ?? WORDS[message] ?? printable(message);
  const what = `Cannot use ${server}: ${why}${code === null ? '' : ` (${code})`}.`;
  return {
    error: new CliError(EXIT.unavailable, what, code === 'ECONNREFUSED' ? HINT : []),
    retryable: passing !== undefined,
    afterMs: null,
  };
}
