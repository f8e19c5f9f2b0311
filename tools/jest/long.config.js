import shared from '../../jest.config.js';

// Fault campaigns, mutants and what else takes minutes. Two at once: each of them has processes of its own.
export default {
  ...shared,
  rootDir: '../..',
  testMatch: ['**/*.long.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 2,
};
