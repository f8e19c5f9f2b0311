import { describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Files that are there, so that they have types; what is in them is not looked at. */
const STORE = 'services/src/adapters/mongo/store/link.ts';
const BUS = 'services/src/adapters/kafka/topic-keeper.ts';
const OPERATOR = 'operator/src/servers/mongodb.ts';
const KUBERNETES = 'operator/src/control/credentials.ts';
const LIMIT_MS = 120_000;

const eslint = new ESLint({ cwd: ROOT, ruleFilter: ({ ruleId }) => ruleId === 'house/deadline' });

/** How many calls without a deadline are found in a text. */
async function found(file: string, text: string): Promise<number> {
  const [result] = await eslint.lintText(text, { filePath: `${ROOT}/${file}` });
  return result!.messages.filter(({ ruleId }) => ruleId === 'house/deadline').length;
}

const WITHIN = `declare function within<T>(work: Promise<T>, ms: number): Promise<T>;`;
const MONGO = `import type { mongo } from 'mongoose'; ${WITHIN} declare const held: { jobs: mongo.Collection };`;
const WIRE = `import type { Wire } from './wire.ts'; ${WITHIN} declare const held: { wire: Wire };`;

describe('a call without a deadline is found', () => {
  test.each<[string, string, string]>([
    ['of mongoose', STORE, `${MONGO} export async function f() { await held.jobs.findOne({}); }`],
    [
      'of mongodb',
      OPERATOR,
      `import { MongoClient } from 'mongodb'; export const f = () => new MongoClient('mongodb://a').connect();`,
    ],
    [
      'of kafkajs',
      BUS,
      `import { Kafka } from 'kafkajs'; export const f = () => new Kafka({ brokers: [] }).admin().connect();`,
    ],
    [
      'of @platformatic/kafka',
      BUS,
      `import { Admin } from '@platformatic/kafka'; export const f = (a: Admin) => a.metadata({ topics: [] });`,
    ],
    [
      'of @kubernetes/client-node',
      KUBERNETES,
      `import type { CoreV1Api } from '@kubernetes/client-node'; export const f = (a: CoreV1Api) => a.listNamespace();`,
    ],
    [
      'of the interface in front of client-node',
      KUBERNETES,
      `import type { ApiAccess } from './access.ts'; export const f = (a: ApiAccess) => a.applyToHTTPSOptions({});`,
    ],
    ['of fetch', BUS, `export const f = () => fetch('http://a');`],
    ['of fetch with options', BUS, `export const f = () => fetch('http://a', { method: 'PUT' });`],
    ['of node:http', BUS, `import { request } from 'node:http'; export const f = () => request('http://a');`],
    [
      'of node:https under another name',
      BUS,
      `import { request as send } from 'node:https'; export const f = () => send('https://a', { port: 1 });`,
    ],
    [
      'of one of two, chosen by name',
      BUS,
      `import { request as a } from 'node:http'; import { request as b } from 'node:https';
       export const f = (tls: boolean) => { const send = tls ? b : a; return send('https://a', {}); };`,
    ],
    ['of the wire', BUS, `${WIRE} export async function f() { await held.wire.reset(); }`],
    ['which nobody waits for', BUS, `${WIRE} export function f() { void held.wire.reset(); }`],
    [
      'that is handed a connection',
      STORE,
      `${MONGO} declare function g(c: mongo.Collection): Promise<void>;
       export async function f() { await g(held.jobs); }`,
    ],
    [
      'in a private function with one caller without',
      BUS,
      `${WIRE} async function g() { await held.wire.reset(); }
       export async function f() { await within(g(), 1); await g(); }`,
    ],
    [
      'in a private method that is a callback, too',
      BUS,
      `${WIRE} export class C { async f() { await within(this.#g(), 1); [1].map(() => this.#g()); }
         async #g() { await held.wire.reset(); } }`,
    ],
    [
      'in the constructor of a class that keeps the promise of others',
      BUS,
      `${WIRE} import type { Session } from './wire.ts';
       export abstract class C implements Pick<Session, 'close'> { constructor() { void held.wire.reset(); }
         abstract close(): Promise<void>; }`,
    ],
  ])('%s', async (_case, file, text) => expect(await found(file, text)).toBe(1), LIMIT_MS);
});

describe('a call is bounded', () => {
  test.each<[string, string, string]>([
    ['in a wrapper', BUS, `${WIRE} export const f = () => within(held.wire.reset(), 1);`],
    [
      'in a function that is written into a wrapper',
      BUS,
      `${WIRE} export const f = () => within(Promise.all([1].map(async () => { await held.wire.reset(); })), 1);`,
    ],
    [
      'as a constant that a wrapper gets',
      BUS,
      `${WIRE} export const f = () => { const work = held.wire.reset(); return within(work, 1); };`,
    ],
    [
      'in a private function all of whose callers are bounded, whatever else has its name',
      BUS,
      `${WIRE} async function create() { await held.wire.create({} as never); }
       export const f = () => within(create(), 1);`,
    ],
    [
      'in a private method of which that is true',
      BUS,
      `${WIRE} export class C { f() { return within(this.#g(), 1); } async #g() { await held.wire.reset(); } }`,
    ],
    [
      'in a method that the interface in front promises',
      BUS,
      `${WIRE} import type { Session } from './wire.ts';
       export class C implements Pick<Session, 'close'>, Session { ended = Promise.reject(new Error());
         async commit() { await this.#save(); } async close() { await held.wire.reset(); }
         async #save() { await held.wire.reset(); } }`,
    ],
    [
      'where the connection was given',
      STORE,
      `import type { mongo } from 'mongoose'; export const f = (jobs: mongo.Collection) => jobs.findOne({});`,
    ],
    ['by a signal', BUS, `export const f = (signal: AbortSignal) => fetch('http://a', { signal });`],
    [
      'by a signal of a request',
      BUS,
      `import { request } from 'node:http'; export const f = (signal: AbortSignal) => request('http://a', { signal });`,
    ],
    ['when it stays in the process', BUS, `export const f = async () => { await Promise.resolve(); };`],
    [
      'when it gives no promise',
      STORE,
      `${MONGO} export const f = () => held.jobs.find({}).sort({ a: 1 }).limit(1);`,
    ],
  ])('%s', async (_case, file, text) => expect(await found(file, text)).toBe(0), LIMIT_MS);

  test(
    'in tests, by the test',
    async () => {
      expect(
        await found('services/src/adapters/kafka/feed.test.ts', `export const f = () => fetch('http://a');`),
      ).toBe(0);
    },
    LIMIT_MS,
  );
});
