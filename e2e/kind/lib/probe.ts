import { type Namespace } from './kube.ts';

export interface Target {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const PATIENCE_MS = 3_000;
const LIMIT_MS = 60_000;

/** Tries every target at once; prints a line for each that takes a connection. */
const SCRIPT = `
const net = require('node:net');
const targets = JSON.parse(process.argv[1]);
Promise.all(targets.map(({ name, host, port }) => new Promise((resolve) => {
  const socket = net.connect(port, host);
  const end = (open) => { socket.destroy(); resolve(open ? name : null); };
  socket.setTimeout(${PATIENCE_MS}, () => end(false));
  socket.once('connect', () => end(true)).once('error', () => end(false));
}))).then((names) => console.log(names.filter(Boolean).join('\\n')));
`;

/** Names of the targets that a pod of one of our images can connect to. */
export async function openFromNode(
  namespace: Namespace,
  pod: string,
  targets: readonly Target[],
): Promise<string[]> {
  const command = ['exec', pod, '--', '/nodejs/bin/node', '--eval', SCRIPT, JSON.stringify(targets)];
  return lines(await namespace.kubectl(command, { limitMs: LIMIT_MS }));
}

/** The same from a pod that has bash and no Node.js: MongoDB's and Kafka's. */
export async function openFromBash(
  namespace: Namespace,
  pod: string,
  targets: readonly Target[],
): Promise<string[]> {
  const seconds = PATIENCE_MS / 1_000;
  const tries = targets.map(
    ({ name, host, port }) =>
      `(timeout ${seconds} bash -c '</dev/tcp/${host}/${port}' 2>/dev/null && echo '${name}') &`,
  );
  const script = [...tries, 'wait'].join('\n');
  return lines(await namespace.kubectl(['exec', pod, '--', 'bash', '-c', script], { limitMs: LIMIT_MS }));
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}
