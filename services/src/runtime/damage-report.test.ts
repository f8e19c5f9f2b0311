import { expect, test } from '@jest/globals';
import { damageReport } from './damage-report.ts';
import { RecordingLogger } from './testing/recording-logger.ts';

test.each([
  { recomputed: true, says: /computed again/ },
  { recomputed: false, says: /has failed/ },
])('a damaged digest is an error in the log, and counted (recomputed: $recomputed)', (given) => {
  const logger = new RecordingLogger();
  const added: unknown[] = [];
  const counter = (name: string) => ({
    add: (value: number, labels: unknown) => void added.push({ name, value, labels }),
  });
  const metrics = { counter, histogram: () => ({ record: () => undefined }), gauge: () => undefined };
  damageReport(logger, metrics)({ job: 'id', what: 'result', position: 700, recomputed: given.recomputed });
  expect(added).toEqual([{ name: 'hashcluster.store.damaged', value: 1, labels: { what: 'result' } }]);
  expect(logger.records).toMatchObject([
    {
      level: 'error',
      message: expect.stringMatching(given.says),
      fields: { job: 'id', what: 'result', position: 700 },
    },
  ]);
});
