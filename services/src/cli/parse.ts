import { InvalidArgumentError } from 'commander';
import { JOB_ID_PATTERN } from '../jobs/id.ts';
import { MAX_ITERATIONS } from '../jobs/limits.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { formatCount } from './format.ts';

/** Command-line values. Each function throws `InvalidArgumentError` with one precise sentence. */

const SI_EXPONENTS: Readonly<Record<string, number>> = { '': 0, k: 3, K: 3, M: 6, G: 9, T: 12 };
const NUMBER = /^(\d+(?:_\d+)*)(?:\.(\d+))?(?:[eE]\+?(\d{1,3}))?([kKMGT]?)$/;

/** Digits and a power of ten as a whole number; null when it is not whole. */
function scaled(digits: string, exponent: number): bigint | null {
  if (exponent >= 0) return BigInt(digits) * 10n ** BigInt(exponent);
  const unit = 10n ** BigInt(-exponent);
  const value = BigInt(digits);
  return value % unit === 0n ? value / unit : null;
}

/**
 * Iterations: `1000000`, `1_000_000`, `1e6`, or with an SI suffix: `10k`, `2.5M`, `1G`, `1T` (powers of 1,000).
 * Exact: 1 … 2^53−1.
 */
export function parseIterations(text: string): number {
  const value = parseWhole(text);
  if (value < 1n) throw new InvalidArgumentError('Iterations start at 1.');
  if (value > BigInt(MAX_ITERATIONS)) {
    throw new InvalidArgumentError(`The most there can be is ${formatCount(MAX_ITERATIONS)} (2^53−1).`);
  }
  return Number(value);
}

function parseWhole(text: string): bigint {
  if (/^-\d/.test(text)) return -1n;
  const [, whole, fraction = '', power = '', suffix = ''] = NUMBER.exec(text) ?? [];
  if (whole === undefined || (power !== '' && suffix !== '')) {
    throw new InvalidArgumentError('Write a number like 1000000, 1_000_000, 1e6, 10k, 2.5M, 1G or 1T.');
  }
  const exponent = Number(power) + SI_EXPONENTS[suffix]! - fraction.length;
  const value = scaled(whole.replaceAll('_', '') + fraction, exponent);
  if (value === null) throw new InvalidArgumentError('That is not a whole number of iterations.');
  return value;
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Timers of Node.js count to 2^31−1 ms. */
const LONGEST_MS = 24 * 86_400_000;

/** A time span in milliseconds: `30` (seconds), `500ms`, `30s`, `5m`, `2h`, `1d`; 0 … 24 days. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d)?$/.exec(text);
  if (!match)
    throw new InvalidArgumentError('Write a time like 30s, 500ms, 5m, 2h or 1d; a bare number is seconds.');
  const value = Math.round(Number(match[1]) * DURATION_UNITS[match[2] ?? 's']!);
  if (value > LONGEST_MS) throw new InvalidArgumentError('The longest time is 24d.');
  return value;
}

/** A parser for whole numbers from `least` to `most`. */
export function countParser(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`${what} is a whole number from ${least} to ${formatCount(most)}.`);
  };
}

/** A job id as the service writes it. Capitals are taken as meant; anything else is refused before the service is asked. */
export function parseJobId(text: string): string {
  const id = text.toLowerCase();
  if (JOB_ID_PATTERN.test(id)) return id;
  throw new InvalidArgumentError('A job id has 26 letters and digits, as `submit` and `list` print it.');
}

/** The address as it may be shown: without a user name and a password. */
export function withoutCredentials(address: string): string {
  return address.replace(/\/\/[^/]*@/, '//');
}

/**
 * The address of a service: http or https, perhaps with a path before the API's own. Throws a `CliError`, which shows
 * nothing of it, when it holds a user name or a password.
 */
export function parseServer(text: string): URL {
  if (withoutCredentials(text) !== text) {
    throw new CliError(EXIT.usage, 'The address of a service takes no user name and no password.', [
      'Everybody on this machine can read the command line of a process.',
    ]);
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError(
      'Write an address like http://127.0.0.1:5000 or https://hash.example.org/api.',
    );
  }
  if (url.search || url.hash) throw new InvalidArgumentError('The address takes no ? and no #.');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
