import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { house } from './eslint/house-plugin.js';

const TESTS = [
  '**/*.test.ts',
  '**/*.story.ts',
  '**/testing/**',
  '**/testing.ts',
  '**/*conformance*.ts',
  '**/conformance/**',
];
const PURE = ['services/src/jobs/**', 'operator/src/plan/**'];
const TOOLS = [
  'services/bench/**',
  'services/native/**',
  'e2e/**',
  'eslint/**',
  'tools/**',
  '.ci/**',
  '*.config.js',
  'services/bin/**',
];

const PURE_SAYS = 'Import rule 1: jobs and plan are pure: no clock, randomness, environment or I/O.';
const ENV_SAYS = 'Import rule 3: only files named settings.ts read the environment.';
const ADDON_SAYS = 'Import rule 2: only services/src/hashing/native-addon.ts loads native code.';
const STATE_SAYS = 'No mutable state in a module: put it into a class or a function.';
const EXPORT_SAYS = 'No default exports: a thing has one name.';

const ENVIRONMENT = { object: 'process', property: 'env', message: ENV_SAYS };
const ADDON = { object: 'process', property: 'dlopen', message: ADDON_SAYS };

/** What leaves the process, and what bounds it: see `eslint/deadline-rule.js`. */
const LEAVING = {
  packages: ['mongodb', 'mongoose', 'kafkajs', '@platformatic/kafka', '@kubernetes/client-node'],
  // What our own code has in front of a vendor's: those who call it have the limits.
  interfaces: ['Wire', 'Session', 'ApiAccess'],
  carriers: ['Collection', 'Db', 'MongoClient', 'Context', 'Collections'],
  wrappers: ['answersWithin', 'settlesWithin', 'within', 'unlessAborted'],
};

const ONLY = ['test', 'describe', 'it'].map((object) => ({
  object,
  property: 'only',
  message: 'The other tests would not run.',
}));

const GLOBALS_WITH_EFFECTS = `
  process performance console fetch crypto navigator globalThis require queueMicrotask Worker WebSocket Atomics
  setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate
`;

const MODULE = ':matches(Program, Program > ExportNamedDeclaration)';
const BAD_SYNTAX = [
  { selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]', message: EXPORT_SAYS },
  { selector: `${MODULE} > VariableDeclaration[kind=/^(let|var)$/]`, message: STATE_SAYS },
  {
    selector: `${MODULE} > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet|Array)$/][arguments.length=0]`,
    message: STATE_SAYS,
  },
  {
    selector: `${MODULE} > VariableDeclaration > VariableDeclarator:matches([id.typeAnnotation.typeAnnotation.type="TSArrayType"], :not([id.typeAnnotation])) > ArrayExpression[elements.length=0]`,
    message: STATE_SAYS,
  },
];
const CLOCK_SYNTAX = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0], CallExpression[callee.name="Date"]',
  message: PURE_SAYS,
};

/** Everywhere: sizes, and what has bitten others. */
const common = defineConfig({
  plugins: { house },
  rules: {
    'house/imports': 'error',
    'house/function-lines': ['error', 70],
    'max-lines': ['error', 400],
    complexity: ['error', 12],
    'max-params': ['error', 4],
    'max-depth': ['error', 4],
    eqeqeq: 'error',
    'no-console': 'error',
    // Terminals and log lines are about control characters.
    'no-control-regex': 'off',
    'no-var': 'error',
    'prefer-const': 'error',
    'object-shorthand': 'error',
    'no-self-compare': 'error',
    'no-unmodified-loop-condition': 'error',
    'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
    'no-restricted-properties': ['error', ENVIRONMENT, ADDON, ...ONLY],
    'no-restricted-syntax': ['error', ...BAD_SYNTAX],
  },
});

/** What types are needed for: the strict set, without what contradicts this code's own habits. */
const typed = defineConfig({
  files: ['**/*.ts'],
  extends: [tseslint.configs.strictTypeChecked],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  rules: {
    '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/consistent-type-exports': 'error',
    '@typescript-eslint/explicit-module-boundary-types': 'error',
    '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    // `async` without `await` is how a method of a port rejects instead of throwing.
    '@typescript-eslint/require-await': 'off',
    // Takes vendors' structural types for nominal ones.
    '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    // `Promise<void> | void` is how a hook says that it may wait.
    '@typescript-eslint/no-invalid-void-type': 'off',
    // `() => void count++` and `return refuse(request)` give nothing back.
    '@typescript-eslint/no-confusing-void-expression': 'off',
    '@typescript-eslint/no-meaningless-void-operator': 'off',
    // Indexes are checked by `noUncheckedIndexedAccess`; where the code knows better it says so with `!`.
    '@typescript-eslint/no-non-null-assertion': 'off',
  },
});

export default defineConfig([
  globalIgnores(['**/dist/', '**/node_modules/', '.cache/', 'coverage/', 'services/native/build/']),
  // Imports what its test generates, and is checked there.
  globalIgnores(['e2e/api/clients/client.ts']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  common,
  typed,
  {
    files: ['**/*.js'],
    languageOptions: { globals: globals.node },
  },
  {
    // These are not part of the project that stands next to them.
    files: ['services/bench/**/*.ts', 'services/native/**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: false, project: ['services/tsconfig.tools.json'] },
    },
  },
  {
    files: PURE,
    ignores: TESTS,
    rules: {
      'no-restricted-globals': [
        'error',
        ...GLOBALS_WITH_EFFECTS.trim()
          .split(/\s+/)
          .map((name) => ({ name, message: PURE_SAYS })),
      ],
      'no-restricted-properties': [
        'error',
        ADDON,
        { object: 'Date', property: 'now', message: PURE_SAYS },
        { object: 'Math', property: 'random', message: PURE_SAYS },
      ],
      'no-restricted-syntax': ['error', ...BAD_SYNTAX, CLOCK_SYNTAX],
    },
  },
  {
    // Whatever leaves the process has a deadline of our own.
    files: ['services/src/**/*.ts', 'operator/src/**/*.ts'],
    ignores: TESTS,
    rules: { 'house/deadline': ['error', LEAVING] },
  },
  { files: ['**/settings.ts', ...TOOLS], rules: { 'no-restricted-properties': ['error', ADDON, ...ONLY] } },
  {
    files: ['services/src/hashing/native-addon.ts'],
    rules: { 'no-restricted-properties': ['error', ENVIRONMENT, ...ONLY] },
  },
  { files: ['services/src/cli/**', ...TOOLS], rules: { 'no-console': 'off' } },
  // Jest takes default exports only.
  { files: ['*.config.js', 'tools/jest/*.js'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: TESTS,
    rules: {
      // Rows of a table are arguments.
      'max-params': 'off',
      // What a file of tests starts and cleans up is kept in the file.
      'no-restricted-syntax': ['error', ...BAD_SYNTAX.filter(({ message }) => message !== STATE_SAYS)],
      // A module of tests is not imported by anything; helpers of one test file need no written types.
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  prettier,
]);
