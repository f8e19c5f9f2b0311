import { expect, test } from '@jest/globals';
import { restartHelps } from './restart-helps.ts';

function setup() {
  const state = { now: 0, trouble: null as string | null, open: true, worker: null as string | null };
  const check = restartHelps({
    store: { trouble: () => state.trouble, isOpen: () => state.open },
    worker: { trouble: () => state.worker },
    clock: { monotonic: () => state.now },
    graceMs: 1_000,
  });
  return { state, check };
}

test('a worker without a lease is what a restart can mend', () => {
  const { state, check } = setup();
  expect(check()).toBeNull();
  state.worker = 'no lease';
  expect(check()).toBe('no lease');
});

test('a worker without a lease because the disk is full is not, nor just after that', () => {
  const { state, check } = setup();
  Object.assign(state, { worker: 'no lease', trouble: 'the disk is full' });
  expect(check()).toBeNull();
  Object.assign(state, { now: 5_000 });
  expect(check()).toBeNull();
  Object.assign(state, { now: 5_999, trouble: null });
  expect(check()).toBeNull();
  state.now = 6_000;
  expect(check()).toBe('no lease');
});

test('a store whose thread has ended is what a restart can mend', () => {
  const { state, check } = setup();
  Object.assign(state, { worker: 'no lease', trouble: 'the thread has ended', open: false });
  expect(check()).toBe('no lease');
});
