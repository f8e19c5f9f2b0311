import { computed, job, jobs, stateOfJob, TENANT } from '../../../ports/job-store-conformance-facts.ts';
import { openStoreOn, recordingLogger } from './kit.ts';

/** Fills a store until the disk is full, and says in one line what that was like. */

const BATCH = 200;

async function fill(file: string): Promise<void> {
  const logger = recordingLogger();
  const { store } = await openStoreOn(file, { logger });
  let acknowledged = 0;
  let error: unknown = null;
  while (error === null) {
    const batch = jobs(acknowledged + BATCH, 7).slice(acknowledged);
    const failed = await store.submit(batch.map(computed)).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (failed === null) acknowledged += BATCH;
    error = failed;
  }
  const more = jobs(acknowledged + BATCH, 7).slice(acknowledged);
  const second = await store.submit(more.map(computed)).then(
    () => 'taken',
    (reason: unknown) => (reason as Error).name,
  );
  const report = {
    acknowledged,
    name: (error as Error).name,
    second,
    trouble: store.trouble(),
    first: await stateOfJob(store, job('job 0', 7)),
    listed: (await store.list({ tenant: TENANT, state: 'done', cursor: null, limit: 1_000 })).items.length,
    logged: logger.records.filter(({ level }) => level === 'error').map(({ message }) => message),
  };
  await store.stop();
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

await fill(process.argv[2]!);
