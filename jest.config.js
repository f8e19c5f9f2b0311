import { fileURLToPath } from 'node:url';

// Tests start hundreds of threads and processes; each of them would strip the types of the same files, and compile them,
// again. Node keys the cache by the content of a file. Workers of jest and what they start inherit the variable.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('.cache/node', import.meta.url));

// Jest asks for a default export here; nothing else in the repository has one.
export default {
  testEnvironment: 'node',
  roots: ['services', 'operator', 'e2e', 'eslint', 'tools'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', String.raw`\.long\.test\.ts$`],
  modulePathIgnorePatterns: ['<rootDir>/services/dist', '<rootDir>/operator/dist', '<rootDir>/.cache'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  reporters: [
    'default',
    '<rootDir>/tools/jest/slowest-files.js',
    // The last one: it may end the process.
    '<rootDir>/tools/jest/exit-reporter.js',
  ],
  // Tests wait more than they compute: for servers, for processes and for timers.
  maxWorkers: 3,
  testTimeout: 60_000,
};
