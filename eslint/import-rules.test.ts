import { describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import config from '../eslint.config.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The repository's own configuration, but without types: so that files which do not exist can be tried. */
const untyped = new ESLint({
  cwd: ROOT,
  overrideConfigFile: true,
  overrideConfig: defineConfig([
    ...config,
    {
      files: ['**/*.ts'],
      extends: [tseslint.configs.disableTypeChecked],
      languageOptions: { parserOptions: { projectService: false, project: null } },
    },
  ]),
});

/** What is said about a file with this text. */
async function complaints(filePath: string, text: string): Promise<string[]> {
  const [result] = await untyped.lintText(text, { filePath: `${ROOT}/${filePath}` });
  return result?.messages.map(({ message }) => message) ?? [];
}

const PURE = 'Import rule 1: services/src/jobs is pure';
const PLAN = 'Import rule 1: operator/src/plan is pure';
const EFFECT = 'Import rule 1: jobs and plan are pure: no clock';
const PORTS = 'Import rule 2: services/src/ports knows only services/src/jobs';
const ADAPTERS = 'Import rule 2: Adapters never import each other';
const VENDORS = 'Import rule 2: Only adapters import kafkajs';
const ADDON = 'Import rule 2: only services/src/hashing/native-addon.ts loads native code';
const ADDON_IMPORT = 'Import rule 2: Only services/src/hashing/native-addon.ts loads native code';
const TELEMETRY = 'Import rule 3: Only runtime imports winston';
const ENV = 'Import rule 3: only files named settings.ts read the environment';
const ENV_IMPORT = 'Import rule 3: Only files named settings.ts read the environment';
const ROLES = 'Import rule 4: Only services/src/roles puts adapters and core together';
const MAIN = 'Import rule 4: A main.ts wires things';
const APART = 'Import rule 5: services, operator and e2e never import each other';
const SOURCE = 'Import rule 5: Source imports source';

/** A use of everything imported, so that nothing else is complained about. */
const use = (name: string): string => `export const used = ${name};`;

describe('a violation of', () => {
  test.each<[says: string, file: string, text: string]>([
    [PURE, 'services/src/jobs/a.ts', `import { x } from '../ports/clock.ts'; ${use('x')}`],
    [
      PURE,
      'services/src/jobs/a.ts',
      `import type { Clock } from '../ports/clock.ts'; export type C = Clock;`,
    ],
    [PURE, 'services/src/jobs/a.ts', `import { createHash } from 'node:crypto'; ${use('createHash')}`],
    [PURE, 'services/src/jobs/a.ts', `import * as c from 'node:crypto'; ${use('c')}`],
    [PURE, 'services/src/jobs/a.ts', `import 'node:crypto';`],
    [PURE, 'services/src/jobs/a.ts', `import { readFile } from 'fs/promises'; ${use('readFile')}`],
    [PURE, 'services/src/jobs/a.ts', `import { z } from 'zod'; ${use('z')}`],
    [PURE, 'services/src/jobs/a.ts', `export * from '../worker/worker.ts';`],
    [PURE, 'services/src/jobs/a.ts', `export const load = () => import('node:fs');`],
    [PURE, 'services/src/jobs/a.ts', `export type T = import('../ports/clock.ts').Clock;`],
    [EFFECT, 'services/src/jobs/a.ts', use('Date.now()')],
    [EFFECT, 'services/src/jobs/a.ts', use('new Date()')],
    [EFFECT, 'services/src/jobs/a.ts', use('Math.random()')],
    [EFFECT, 'services/src/jobs/a.ts', use('performance.now()')],
    [EFFECT, 'services/src/jobs/a.ts', use('process.env')],
    [EFFECT, 'services/src/jobs/a.ts', `export const later = (f: () => void) => setTimeout(f, 1);`],
    [PLAN, 'operator/src/plan/a.ts', `import { x } from '../observe/pods.ts'; ${use('x')}`],
    [
      PLAN,
      'operator/src/plan/a.ts',
      `import { KubeConfig } from '@kubernetes/client-node'; ${use('KubeConfig')}`,
    ],
    [EFFECT, 'operator/src/plan/a.ts', use('Date.now()')],
    [PORTS, 'services/src/ports/a.ts', `import { x } from '../adapters/embedded/bus.ts'; ${use('x')}`],
    [PORTS, 'services/src/ports/a.ts', `import { EventEmitter } from 'node:events'; ${use('EventEmitter')}`],
    [
      PORTS,
      'services/src/ports/conformance/a.ts',
      `import { x } from '../../adapters/mongo/a.ts'; ${use('x')}`,
    ],
    [ADAPTERS, 'services/src/adapters/mongo/a.ts', `import { x } from '../embedded/store.ts'; ${use('x')}`],
    [
      ADAPTERS,
      'services/src/adapters/kafka/deep/a.ts',
      `import { x } from '../../embedded/bus.ts'; ${use('x')}`,
    ],
    [VENDORS, 'services/src/worker/a.ts', `import { Kafka } from 'kafkajs'; ${use('Kafka')}`],
    [VENDORS, 'services/src/endpoint/a.ts', `import type { Model } from 'mongoose'; export type M = Model;`],
    [VENDORS, 'services/src/cli/a.ts', `import { DatabaseSync } from 'node:sqlite'; ${use('DatabaseSync')}`],
    [VENDORS, 'operator/src/apply/a.ts', `import { MongoClient } from 'mongodb'; ${use('MongoClient')}`],
    [VENDORS, 'operator/src/observe/a.ts', `import { MongoClient } from 'mongodb'; ${use('MongoClient')}`],
    [VENDORS, 'services/src/cli/a.ts', `export const load = () => import('mongodb/lib/bson.js');`],
    [ADDON, 'services/src/hashing/a.ts', `process.dlopen({ exports: {} }, 'x.node');`],
    [
      ADDON_IMPORT,
      'services/src/hashing/a.ts',
      `import { createRequire } from 'node:module'; ${use('createRequire')}`,
    ],
    [
      ADDON_IMPORT,
      'services/bench/a.ts',
      `export const addon = require('../native/build/hashcluster.node');`,
    ],
    [ADDON_IMPORT, 'services/native/a.ts', `export const addon = require('./build/hashcluster.node');`],
    [TELEMETRY, 'services/src/worker/a.ts', `import winston from 'winston'; ${use('winston')}`],
    [TELEMETRY, 'services/src/endpoint/a.ts', `import { trace } from '@opentelemetry/api'; ${use('trace')}`],
    [TELEMETRY, 'services/src/jobs/a.test.ts', `import { trace } from '@opentelemetry/api'; ${use('trace')}`],
    [ENV, 'services/src/worker/a.ts', use('process.env')],
    [ENV, 'services/src/worker/a.ts', `export const { env } = process;`],
    [ENV, 'services/src/runtime/a.test.ts', use(`process['env']`)],
    [ENV_IMPORT, 'services/src/worker/a.ts', `import { env } from 'node:process'; ${use('env')}`],
    [
      VENDORS,
      'services/src/worker/a.ts',
      `import { Producer } from '@platformatic/kafka'; ${use('Producer')}`,
    ],
    [ROLES, 'services/src/cli/a.ts', `import { x } from '../adapters/mongo/mongo-store.ts'; ${use('x')}`],
    [
      ROLES,
      'services/src/worker/a.ts',
      `import type { X } from '../adapters/kafka/options.ts'; export type Y = X;`,
    ],
    [MAIN, 'services/src/cli/a.ts', `import { main } from '../worker/main.ts'; ${use('main')}`],
    [MAIN, 'services/src/endpoint/a.test.ts', `import { main } from './main.ts'; ${use('main')}`],
    [APART, 'operator/src/a.ts', `import { x } from '../../services/src/jobs/id.ts'; ${use('x')}`],
    [APART, 'services/src/cli/a.ts', `import { x } from '../../../operator/src/api/types.ts'; ${use('x')}`],
    [APART, 'e2e/chaos/a.ts', `import { x } from '../../services/src/jobs/id.ts'; ${use('x')}`],
    [APART, 'services/bench/a.ts', `import { x } from '../../e2e/chaos/audit.ts'; ${use('x')}`],
    [APART, 'services/src/cli/a.ts', `import { x } from '../../../e2e/lib/client.ts'; ${use('x')}`],
    [APART, 'e2e/chaos/a.ts', `import { x } from 'hashcluster'; ${use('x')}`],
    [SOURCE, 'services/src/cli/a.ts', `import { x } from '../../dist/jobs/id.js'; ${use('x')}`],
    [SOURCE, 'services/bench/a.ts', `import { x } from '../dist/jobs/id.js'; ${use('x')}`],
    [SOURCE, 'services/src/cli/a.ts', `import { x } from '../../bench/report.ts'; ${use('x')}`],
    [
      'An import that is computed',
      'services/src/cli/a.ts',
      'export const load = (n: string) => import(`./${n}.ts`);',
    ],
    ['No default exports', 'services/src/cli/a.ts', 'export default 1;'],
    ['No default exports', 'services/src/cli/a.ts', 'const x = 1; export { x as default };'],
    ['No mutable state', 'services/src/cli/a.ts', 'export let count = 0;'],
    ['No mutable state', 'services/src/cli/a.ts', `let count = 0; export const next = () => ++count;`],
    ['No mutable state', 'services/src/cli/a.ts', `export const cache = new Map<string, string>();`],
    ['No mutable state', 'services/src/cli/a.ts', `export const all: string[] = [];`],
    ['The other tests would not run', 'services/src/cli/a.test.ts', `test.only('x', () => {});`],
    ['Unexpected console statement', 'services/src/worker/a.ts', `console.log('x');`],
    [
      "Expected '===' and instead saw '=='",
      'services/src/worker/a.ts',
      'export const f = (a: number) => a == 1;',
    ],
  ])('"%s" fails in %s: %s', async (says, file, text) => {
    expect(await complaints(file, text)).toContainEqual(expect.stringContaining(says));
  });
});

describe('nothing is said about', () => {
  test.each<[file: string, text: string]>([
    [
      'services/src/jobs/a.ts',
      `import { hash } from 'node:crypto'; import { x } from './id.ts'; ${use('[hash, x]')}`,
    ],
    ['services/src/jobs/a.ts', use('new Date(0).toISOString()')],
    [
      'services/src/jobs/a.test.ts',
      `import fc from 'fast-check'; import { a } from 'node:assert'; ${use('[fc, a]')}`,
    ],
    ['operator/src/plan/a.ts', `import type { Spec } from '../api/types.ts'; export type S = Spec;`],
    ['operator/src/servers/a.ts', `import { MongoClient } from 'mongodb'; ${use('MongoClient')}`],
    ['operator/src/runtime/a.ts', `import winston from 'winston'; ${use('winston')}`],
    [
      'services/src/ports/a.ts',
      `import { x } from '../jobs/id.ts'; import { y } from './clock.ts'; ${use('[x, y]')}`,
    ],
    ['services/src/ports/store-conformance.ts', `import { expect } from '@jest/globals'; ${use('expect')}`],
    [
      'services/src/adapters/embedded/sqlite/a.ts',
      `import { DatabaseSync } from 'node:sqlite'; ${use('DatabaseSync')}`,
    ],
    ['services/src/adapters/embedded/sqlite/a.ts', `import { x } from '../rows.ts'; ${use('x')}`],
    [
      'services/src/hashing/native-addon.ts',
      `import { createRequire } from 'node:module'; ${use('createRequire')}`,
    ],
    ['services/native/build.ts', `import { createRequire } from 'node:module'; ${use('createRequire')}`],
    ['services/src/runtime/a.ts', `import winston from 'winston'; ${use('winston')}`],
    ['services/src/worker/settings.ts', use('process.env')],
    ['services/bin/hashcluster.js', `import '../dist/cli/main.js'; ${use('process.env')}`],
    ['services/bench/a.ts', `import { x } from '../src/jobs/id.ts'; console.log(process.env, x);`],
    ['services/bench/a.ts', `import { x } from '../../e2e/lib/client.ts'; ${use('x')}`],
    ['e2e/chaos/a.ts', `import { MongoClient } from 'mongodb'; console.log(MongoClient);`],
    [
      'services/src/cli/a.ts',
      `export const known = new Set(['a']); export const none: readonly string[] = [];`,
    ],
    ['services/src/cli/a.ts', `export const load = (): Promise<unknown> => import('./table.ts');`],
  ])('%s: %s', async (file, text) => {
    expect(await complaints(file, text)).toEqual([]);
  });
});

describe('sizes', () => {
  const lines = (count: number): string => "'';\n".repeat(count);
  const sized = (wrap: (body: string) => string, count: number) =>
    complaints('services/src/cli/a.test.ts', wrap(lines(count))).then((all) =>
      all.filter((message) => message.includes('lines')),
    );

  test('a function has 70 lines at most', async () => {
    const f = (body: string): string => `export function f(): void {\n${body}}`;
    expect(await sized(f, 68)).toEqual([]);
    expect(await sized(f, 69)).toEqual(['This function has 71 lines; 70 are allowed.']);
  });

  test.each([
    ['describe', (body: string) => `describe('x', () => {\n${body}});`],
    ['describe.each', (body: string) => `describe.each([1])('x', () => {\n${body}});`],
    ['a choice of describes', (body: string) => `(able ? describe : describe.skip)('x', () => {\n${body}});`],
    ['a function that tests', (body: string) => `export function suite(): void {\n${body} test('x', f);\n}`],
    [
      'a function that describes',
      (body: string) => `export function suite(): void {\n${body} describe('x', f);\n}`,
    ],
  ])('but %s only groups tests', async (_case, wrap) => {
    expect(await sized(wrap, 100)).toEqual([]);
  });

  test('a test is a function like any other, and a file has 400 lines at most', async () => {
    expect(await sized((body) => `test('x', () => {\n${body}});`, 100)).toHaveLength(1);
    expect(await sized((body) => body, 400)).toEqual([]);
    expect(await sized((body) => body, 401)).toHaveLength(1);
  });
});

test('with types, a promise that nobody waits for is found in a real file', async () => {
  const eslint = new ESLint({ cwd: ROOT });
  const text = `
    export async function save(): Promise<void> {
      await Promise.resolve();
    }
    export function saveAndForget(): void {
      save();
    }
  `;
  const [result] = await eslint.lintText(text, { filePath: `${ROOT}/services/src/runtime/system-clock.ts` });
  expect(result?.messages.map(({ ruleId }) => ruleId)).toEqual(['@typescript-eslint/no-floating-promises']);
});
