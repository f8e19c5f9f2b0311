/** IPv4 written as IPv6, as a server that listens on `::` sees it. Source: RFC 4291 §2.5.5.2. */
const MAPPED = '::ffff:';

/** An IPv4 address that is written as IPv6 as what it is; any other as it stands. */
export function unmapped(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}
