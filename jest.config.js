// Jest asks for a default export here; nothing else in the repository has one.
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/services', '<rootDir>/operator', '<rootDir>/e2e', '<rootDir>/eslint'],
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/services/dist', '<rootDir>/operator/dist', '<rootDir>/.cache'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  reporters: ['default', '<rootDir>/jest.exit-reporter.js'],
  testTimeout: 30_000,
};
