// Adds up the reports of all test suites: node .ci/summary.js <folder of reports> [step that failed] …
// A report is what jest writes with --json; other suites write the same five numbers and lists.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** @typedef {{ status: string, fullName: string }} Test */
/**
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} [numRuntimeErrorTestSuites] files that could not even be run
 * @property {{ name: string, status: string, assertionResults: Test[] }[]} [testResults]
 */

/** A test that is skipped says what it needs at the end of its name: "… (needs AVX-512)". @param {string} name */
function reasonOf(name) {
  return /\(((?:needs|without) [^()]+)\)/.exec(name)?.[1] ?? 'no reason given in its name';
}

/**
 * @param {readonly Report[]} reports
 * @param {readonly string[]} failedSteps
 */
function summaryOf(reports, failedSteps) {
  const tests = reports.flatMap(({ testResults = [] }) =>
    testResults.flatMap((file) => file.assertionResults),
  );
  const skipped = tests.filter(({ status }) => !['passed', 'failed'].includes(status));
  const passed = reports.reduce((sum, report) => sum + report.numPassedTests, 0);
  const failedTests = reports.reduce(
    (sum, report) => sum + report.numFailedTests + (report.numRuntimeErrorTestSuites ?? 0),
    0,
  );
  // Failing tests are counted one by one; a step that failed without any (lint, the build) counts once.
  const unexplained = failedSteps.filter(
    (name) => !['test', 'test-long', 'e2e'].includes(name) || failedTests === 0,
  );
  if (passed + failedTests + unexplained.length === 0) unexplained.push('no test was run');
  const failed = failedTests + unexplained.length;
  const counts = `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;
  const lines = [
    ...unexplained.map((name) => `failed: ${name}`),
    ...skipped.map(({ fullName }) => `skipped: ${fullName} — ${reasonOf(fullName)}`),
    counts,
  ];
  return { lines, failed };
}

const [folder = '', ...failedSteps] = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
const { lines, failed } = summaryOf(
  files.map((file) => JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))),
  failedSteps,
);
console.log(lines.join('\n'));
process.exitCode = failed > 0 ? 1 : 0;
