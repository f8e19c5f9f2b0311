/**
 * Who may import whom (DESIGN §10), as a table. `from` and `to` are paths from the repository's root; `to` may also be a
 * Node module with the name that is taken from it (`node:crypto#hash`), or a package (`package:winston`).
 * @typedef {object} ImportRule
 * @property {number} rule the rule's number
 * @property {string} says what is shown to whoever breaks it
 * @property {(from: string, to: string) => boolean} forbids
 */

const TEST = /(\.test\.ts$|\/testing(\/|\.ts$)|conformance[^/]*\.ts$|\/conformance\/)/;
const TEST_TOOLS = /^(package:(@jest\/globals|fast-check|supertest)$|node:)/;
const VENDORS = /^(package:(kafkajs|@platformatic\/kafka|mongoose|mongodb)(\/|$)|node:sqlite#)/;
const TELEMETRY = /^package:(winston|winston-transport|logform|triple-beam|@opentelemetry\/[^/]+)(\/|$)/;

/** @type {(path: string, folder: string) => boolean} */
const within = (path, folder) => path.startsWith(`${folder}/`);

/** The adapter that a path belongs to; null outside of them. @type {(path: string) => string | null} */
const adapterOf = (path) => /^services\/src\/adapters\/([^/]+)\//.exec(path)?.[1] ?? null;

/** @type {(path: string) => string | null} */
const workspaceOf = (path) => /^(services|operator|e2e)(?=\/|$)/.exec(path)?.[1] ?? null;

/** @type {readonly ImportRule[]} */
export const IMPORT_RULES = [
  {
    rule: 1,
    says: 'services/src/jobs is pure: it imports its own files, `hash` of node:crypto and `crc32` of node:zlib, nothing else.',
    forbids: (from, to) =>
      within(from, 'services/src/jobs') &&
      !within(to, 'services/src/jobs') &&
      to !== 'node:crypto#hash' &&
      to !== 'node:zlib#crc32' &&
      !(TEST.test(from) && TEST_TOOLS.test(to)),
  },
  {
    rule: 1,
    says: 'operator/src/plan is pure: it imports its own files and operator/src/api, nothing else.',
    forbids: (from, to) =>
      within(from, 'operator/src/plan') &&
      !within(to, 'operator/src/plan') &&
      !within(to, 'operator/src/api') &&
      !(TEST.test(from) && TEST_TOOLS.test(to)),
  },
  {
    rule: 2,
    says: 'services/src/ports knows only services/src/jobs.',
    forbids: (from, to) =>
      within(from, 'services/src/ports') &&
      !within(to, 'services/src/ports') &&
      !within(to, 'services/src/jobs') &&
      !(TEST.test(from) && TEST_TOOLS.test(to)),
  },
  {
    rule: 2,
    says: 'Adapters never import each other.',
    forbids: (from, to) =>
      adapterOf(from) !== null && adapterOf(to) !== null && adapterOf(from) !== adapterOf(to),
  },
  {
    rule: 2,
    says: 'Only adapters import kafkajs, @platformatic/kafka, mongoose, mongodb and node:sqlite; in the operator, operator/src/servers.',
    forbids: (from, to) =>
      /^(services|operator)\/src\//.test(from) &&
      adapterOf(from) === null &&
      !within(from, 'operator/src/servers') &&
      VENDORS.test(to),
  },
  {
    rule: 2,
    says: 'Only services/src/hashing/native-addon.ts loads native code.',
    forbids: (from, to) =>
      from !== 'services/src/hashing/native-addon.ts' &&
      (to.endsWith('.node') || (to === 'node:module#createRequire' && !within(from, 'services/native'))),
  },
  {
    rule: 3,
    says: 'Only runtime imports winston and OpenTelemetry.',
    forbids: (from, to) => !/^(services|operator)\/src\/runtime\//.test(from) && TELEMETRY.test(to),
  },
  {
    rule: 3,
    says: 'Only files named settings.ts read the environment: take `process` from nowhere.',
    forbids: (_from, to) => to.startsWith('node:process#'),
  },
  {
    rule: 4,
    says: 'Only services/src/roles puts adapters and core together.',
    forbids: (from, to) =>
      within(from, 'services/src') &&
      !within(from, 'services/src/roles') &&
      !within(from, 'services/src/adapters') &&
      !TEST.test(from) &&
      within(to, 'services/src/adapters'),
  },
  {
    rule: 4,
    says: 'A main.ts wires things; nothing imports it.',
    forbids: (from, to) => /\/main\.[jt]s$/.test(to) && !within(from, 'services/bin'),
  },
  {
    rule: 5,
    says: 'services, operator and e2e never import each other (but benches drive the service with e2e/lib).',
    forbids: (from, to) => {
      if (within(from, 'services/bench') && within(to, 'e2e/lib')) return false;
      const [here, there] = [workspaceOf(from), workspaceOf(to)];
      return here !== null && there !== null && here !== there;
    },
  },
  {
    rule: 5,
    says: 'Source imports source: neither what is built (dist) nor what stands outside of src.',
    forbids: (from, to) =>
      (/\/dist\//.test(to) && !within(from, 'services/bin')) ||
      (/^(services|operator)\/src\//.test(from) &&
        workspaceOf(to) !== null &&
        !/^(services|operator)\/src\//.test(to)),
  },
];

/**
 * The rules that an import breaks.
 * @param {string} from
 * @param {string} to
 * @returns {readonly ImportRule[]}
 */
export function brokenBy(from, to) {
  return IMPORT_RULES.filter((rule) => rule.forbids(from, to));
}
