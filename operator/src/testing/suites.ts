import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { findApiServer } from './settings.ts';
import { Stage } from './stage.ts';

const START_MS = 240_000;
const CLOSE_MS = 120_000;

/** Tests against a real API server, which is there for all of them; skipped by name where it cannot be started. */
export function withStage(title: string, tests: (stage: () => Stage) => void): void {
  const programs = findApiServer();
  if (programs === null) {
    test.skip(`${title} (needs kube-apiserver and etcd)`, () => undefined);
    return;
  }
  describe(title, () => {
    let stage: Stage | null = null;
    beforeAll(async () => {
      stage = await Stage.open(programs);
    }, START_MS);
    afterAll(() => stage?.close(), CLOSE_MS);
    tests(() => stage!);
  });
}
