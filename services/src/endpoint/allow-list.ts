import { BlockList, isIP } from 'node:net';
import { unmapped } from './addresses.ts';

/** A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address. Source: RFC 4632 §3.1, RFC 4291 §2.3. */
interface Range {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parseRange(text: string): Range | null {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return null;
  const most = version === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
  return bits <= most ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : null;
}

/** The first of the ranges that is none; null when all are. */
export function faultyRange(ranges: readonly string[]): string | null {
  return ranges.find((range) => parseRange(range) === null) ?? null;
}

/**
 * Whether an address is within one of the ranges. IPv4 addresses that are written as IPv6 count as what they are. Without
 * any range every address is. Throws a `RangeError` for a range that is none.
 */
export function allowList(ranges: readonly string[]): (address: string | undefined) => boolean {
  if (ranges.length === 0) return () => true;
  const list = new BlockList();
  for (const text of ranges) {
    const range = parseRange(text);
    if (!range) throw new RangeError(`Not a range of addresses: ${text}`);
    list.addSubnet(range.address, range.bits, range.family);
  }
  return (address) => {
    const own = unmapped(address ?? '');
    const version = isIP(own);
    return version !== 0 && list.check(own, version === 4 ? 'ipv4' : 'ipv6');
  };
}
