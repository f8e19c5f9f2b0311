import { setPriority } from 'node:os';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { EngineLoop } from './engine-loop.ts';
import type { EngineCommand, EngineData, EngineReport } from './engine-protocol.ts';
import { openKernel } from './select.ts';

/** Hashing yields the processor to the threads that answer requests and write to disk: they need little, but soon. */
const NICENESS = 10;

/** The longest sleep of an engine without work, in milliseconds; `attention` wakes it at once. */
const IDLE_MS = 1_000;

/** The thread of one engine: started by `Engine`, ends when told to. */
function main({ backend, sliceMs, attention, port }: EngineData): void {
  // On Linux this changes the calling thread alone; elsewhere, or where it is not allowed, hashing is as important as the rest.
  if (process.platform === 'linux') tryTo(() => setPriority(0, NICENESS));
  const loop = new EngineLoop({
    kernel: openKernel(backend),
    sliceMs,
    attention,
    now: () => performance.now(),
    receive: () => receiveMessageOnPort(port)?.message as EngineCommand | undefined,
    send: (report: EngineReport) => port.postMessage(report),
  });
  loop.begin();
  for (;;) {
    // Cleared before the messages are read: one that comes later sets it again.
    Atomics.store(attention, 0, 0);
    if (loop.obey()) break;
    if (loop.idle) Atomics.wait(attention, 0, 0, IDLE_MS);
    else loop.slice();
  }
  port.close();
}

function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // Niceness is a courtesy; nothing depends on it.
  }
}

main(workerData as EngineData);
