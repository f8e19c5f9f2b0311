/** What an API server says of a failure. Source: Kubernetes API, meta/v1 `Status`. */
export interface ApiStatus {
  readonly reason: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The API server has answered, and its answer is an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status. */
  readonly status: number;
  /** `NotFound`, `Conflict`, `AlreadyExists`, `Expired`, …; empty when the answer had none. */
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** How long the server asks to wait, in milliseconds; null when it does not say. */
  readonly retryAfterMs: number | null;

  constructor(
    request: string,
    status: number,
    { reason, message, details }: ApiStatus,
    retryAfterMs: number | null = null,
  ) {
    super(`${request}: ${status}${reason && ` ${reason}`}: ${message}`);
    this.status = status;
    this.reason = reason;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer: the connection cannot be had, was lost, or stayed silent for too long. What the server did is unknown. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** True when the request cannot have reached the server. */
  readonly unsent: boolean;

  constructor(request: string, cause: unknown) {
    super(`${request}: ${textOf(cause)}`, { cause });
    this.unsent = UNSENT.has(codeOf(cause) ?? '');
  }
}

const UNSENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
]);

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (codeOf(error) ?? error.name);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Somebody else changed the object meanwhile, or it exists already. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** A list or watch asks for history that the server no longer has. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410;
}

/** The eviction API says this when a PodDisruptionBudget forbids it; anything else when the server is overloaded. */
export function isTooMany(error: unknown): boolean {
  return error instanceof ApiError && error.status === 429;
}

/** The status object of an answer that is one, or what can be made of its text. */
export function parseStatus(text: string): ApiStatus {
  try {
    const body = JSON.parse(text) as Partial<ApiStatus> | null;
    if (typeof body?.message === 'string' || typeof body?.reason === 'string') {
      return { reason: body.reason ?? '', message: body.message ?? '', details: body.details ?? {} };
    }
  } catch {
    // Proxies answer in HTML: the text says as much as there is to say.
  }
  return { reason: '', message: text.slice(0, 300).trim() || 'no message', details: {} };
}
