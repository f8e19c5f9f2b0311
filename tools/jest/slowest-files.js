const SHOWN = 20;

/** Prints the files of tests that took longest, slowest first, in seconds. */
export default class SlowestFiles {
  /** @param {unknown} _config @param {{ shown?: number, print?: (line: string) => void }} options */
  constructor(_config, { shown = SHOWN, print = (line) => console.log(line) } = {}) {
    this.shown = shown;
    this.print = print;
  }

  /**
   * @param {unknown} _contexts
   * @param {{ testResults: readonly { testFilePath: string, perfStats: { runtime: number } }[] }} results
   */
  onRunComplete(_contexts, { testResults }) {
    if (testResults.length <= 1) return;
    const slowest = testResults.toSorted((a, b) => b.perfStats.runtime - a.perfStats.runtime);
    this.print('\nSlowest files, in seconds:');
    for (const { testFilePath, perfStats } of slowest.slice(0, this.shown)) {
      const seconds = (perfStats.runtime / 1_000).toFixed(1);
      this.print(`${seconds.padStart(7)}  ${testFilePath.replace(`${process.cwd()}/`, '')}`);
    }
  }
}
