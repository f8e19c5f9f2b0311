import type { Clock } from '../runtime/clock.ts';
import { answersWithin } from '../runtime/deadline.ts';
import type { AccessOptions, ApiAccess } from './access.ts';

/** What is needed to speak TLS with the server; `undefined` means what Node takes by itself. */
export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Credential {
  readonly tls: TlsOptions;
  /** `Authorization`, where there is one. Never logged. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Token files are written anew every hour or so, exec plugins know when theirs end; both are asked again after this. */
const KEEP_MS = 10_000;
/** An exec plugin, or whoever gives out tokens, may take so long, in milliseconds. */
const ASK_MS = 10_000;

/** What an access gives: certificates, token, token file, exec plugin, name and password; kept for a moment. */
export class Credentials {
  readonly #access: ApiAccess;
  readonly #clock: Clock;
  readonly #askMs: number;
  #kept: { readonly at: number; readonly credential: Promise<Credential> } | null = null;

  constructor(access: ApiAccess, clock: Clock, askMs = ASK_MS) {
    this.#access = access;
    this.#clock = clock;
    this.#askMs = askMs;
  }

  /** Rejects when a file cannot be read or an exec plugin fails. */
  get(): Promise<Credential> {
    const now = this.#clock.monotonic();
    if (this.#kept === null || now - this.#kept.at >= KEEP_MS) {
      const credential = this.#read();
      this.#kept = { at: now, credential };
      credential.catch(() => this.forget());
    }
    return this.#kept.credential;
  }

  /** The server has refused what `get` gave: it is read anew. */
  forget(): void {
    this.#kept = null;
  }

  async #read(): Promise<Credential> {
    const filled: AccessOptions = {};
    const late = (): Error => new Error(`No credentials for the API server within ${this.#askMs} ms`);
    await answersWithin(this.#access.applyToHTTPSOptions(filled), this.#askMs, late);
    const { ca, cert, key, servername, rejectUnauthorized, headers = {}, auth } = filled;
    const basic =
      auth === undefined ? {} : { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
    return {
      tls: {
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(servername !== undefined && { servername }),
        ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      },
      headers: { ...headers, ...basic },
    };
  }
}
