/**
 * Loaded into a process under test with `NODE_OPTIONS=--import`: connections to the addresses in `HASHCLUSTER_REDIRECT`
 * (JSON: `{"127.0.0.1:27017": 40001}`) go to those ports of the loopback address instead, or to Unix-domain sockets where a path is named. Drivers that learn addresses
 * from their servers are caught too, which a changed URL would not do. Nothing of the product knows of this.
 */
import { Socket } from 'node:net';

interface Target {
  host?: unknown;
  port?: unknown;
  path?: string;
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|::1|\[::1\])$/;

function install(table: Readonly<Record<string, number | string>>): void {
  const original = Reflect.get(Socket.prototype, 'connect') as (this: Socket, ...args: unknown[]) => Socket;
  const redirected = (target: Target): Target => {
    const host = typeof target.host === 'string' ? target.host : 'localhost';
    const to = table[`${LOOPBACK.test(host) ? '127.0.0.1' : host}:${String(target.port)}`];
    if (typeof to === 'string') return { ...target, host: undefined, port: undefined, path: to };
    return to === undefined ? target : { ...target, host: '127.0.0.1', port: to };
  };
  const connect = function (this: Socket, ...args: unknown[]): Socket {
    const [first, second] = args;
    // What `net.connect` hands on: its own arguments as an array that is marked by a symbol, so it must stay the same one.
    if (Array.isArray(first)) first[0] = redirected(first[0] as Target);
    else if (typeof first === 'object' && first !== null) args[0] = redirected(first);
    else if (typeof first === 'number') {
      const host = typeof second === 'string' ? second : 'localhost';
      const target = redirected({ host, port: first });
      args.splice(0, typeof second === 'string' ? 2 : 1, target);
    }
    return original.apply(this, args);
  };
  Object.assign(Socket.prototype, { connect });
}

const redirects = process.env['HASHCLUSTER_REDIRECT'];
if (redirects) install(JSON.parse(redirects) as Record<string, number | string>);
