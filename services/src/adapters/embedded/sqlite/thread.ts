import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { runGroup } from './groups.ts';
import { Inbox } from './inbox.ts';
import { openStore, type OpenStore } from './open.ts';
import type { Command, FromThread, ThreadSetup, ToThread } from './protocol.ts';

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
      const replies = runGroup(store.ledger, group);
      report();
      send({ kind: 'replies', replies });
    }
    if (!inbox.closing) return;
    store.db.close();
    port.close();
  });
  report();
  send({ kind: 'ready', opened: store.opened });
}

if (parentPort) main(parentPort, workerData as ThreadSetup);
