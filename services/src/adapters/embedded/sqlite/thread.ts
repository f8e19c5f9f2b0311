import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { runGroup } from './groups.ts';
import { Inbox } from './inbox.ts';
import { WriteHealth } from './write-health.ts';
import { openStore, type OpenStore } from './open.ts';
import type { Command, FromThread, ThreadSetup, ToThread } from './protocol.ts';
import type { Times } from './store-clock.ts';

/** The thread that owns the file. This file is its entry: it runs when a `Worker` is made of it, and only then. */
function main(port: MessagePort, setup: ThreadSetup): void {
  const send = (message: FromThread): void => port.postMessage(message);
  let store: OpenStore;
  try {
    store = openStore(setup);
  } catch (error) {
    send({ kind: 'refused', reason: error instanceof Error ? error.message : String(error) });
    port.close();
    return;
  }
  const inbox = new Inbox();
  const { opened } = store;
  const health = new WriteHealth(() => hasSpace(dirname(setup.file)), opened.unwritable);
  const counter = store.db.prepare('SELECT total_changes() AS changes');
  const changes = (): number => Number(counter.get()!['changes']);
  const report = (): void => {
    const facts = store.ledger.found.splice(0);
    if (facts.length > 0) send({ kind: 'damaged', facts });
  };
  /** With what has come while the last group was written. */
  const nextGroup = (): Command[] => {
    let waiting = receiveMessageOnPort(port);
    for (; waiting; waiting = receiveMessageOnPort(port)) inbox.receive(waiting.message as ToThread);
    return inbox.nextGroup();
  };
  port.on('message', (message: ToThread) => {
    inbox.receive(message);
    for (let group = nextGroup(); group.length > 0; group = nextGroup()) {
      const before = changes();
      const replies = runGroup(store.ledger, group);
      report();
      send({ kind: 'replies', replies, trouble: health.after(replies, changes() !== before) });
    }
    if (!inbox.closing) return;
    keepClock(store, inbox.closing);
    store.db.close();
    port.close();
  });
  report();
  send({ kind: 'ready', opened });
}

/** A disk that was full counts as full until so many bytes are free, or this share of a small one. */
const SPACE_BYTES = 8 * 1024 * 1024;
const SPACE_SHARE = 0.01;

function hasSpace(directory: string): boolean {
  const { bavail, blocks, bsize } = statfsSync(directory);
  return bavail * bsize >= Math.min(SPACE_BYTES, blocks * bsize * SPACE_SHARE);
}

/** The last thing: where the disk does not take it any more, the file says what it said before. */
function keepClock({ ledger }: OpenStore, times: Times): void {
  try {
    ledger.transact(() => ledger.keepClock(times));
  } catch {
    // Expiry catches up a little later for it.
  }
}

if (parentPort) main(parentPort, workerData as ThreadSetup);
