/** An address and a port as the beginning of a URL; IPv6 addresses get their brackets. */
export function originOf(host: string, port: number): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
