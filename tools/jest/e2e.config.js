import shared from '../../jest.config.js';

// Stories take minutes and share one kind cluster: one after the other.
export default {
  ...shared,
  rootDir: '../..',
  roots: ['<rootDir>/e2e/images', '<rootDir>/e2e/kind/stories'],
  testMatch: ['**/*.story.ts'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
