import { isLoopback } from './loopback.ts';
import type { EnvReader } from './settings.ts';

/** Names that `ALLOWED_HOSTS` lists. */
export function allowedHosts(reader: EnvReader): string[] {
  const names = reader.list('ALLOWED_HOSTS');
  const faulty = names.find((name) => hostName(name) !== name.toLowerCase().replace(/\.$/, ''));
  if (faulty !== undefined)
    reader.fault(
      'ALLOWED_HOSTS',
      `expected names without ports, got ${JSON.stringify(faulty.slice(0, 100))}`,
    );
  return names;
}

/** Whether a `Host` header names this server. */
export type IsOwnHost = (header: string) => boolean;

/** A name or an address in brackets, and a port. Source: RFC 9110 §7.2, RFC 3986 §3.2. */
const HOST = /^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$/;

/** The name in a `Host` header, without port and trailing dot; null when it is none. */
export function hostName(header: string): string | null {
  const name = HOST.exec(header)?.[1];
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '');
}

/**
 * Which `Host` headers a server answers. One that only this machine reaches answers to names of this machine only, and one
 * with `allowed` names to these as well, so that a page of the web whose name was made to point here (DNS rebinding) can do
 * nothing. Others answer to every name. Source: RFC 9110 §17.1, RFC 6761 §6.3.
 */
export function ownHosts(listenHost: string, allowed: readonly string[]): IsOwnHost {
  if (allowed.length === 0 && !isLoopback(listenHost)) return () => true;
  const names = new Set(allowed.map((name) => name.toLowerCase().replace(/\.$/, '')));
  return (header) => {
    const name = hostName(header);
    return name !== null && (names.has(name) || isLoopback(name) || name.endsWith('.localhost'));
  };
}
