import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { GROUP_ITEMS, runGroup } from './groups.ts';
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
  const inbox = new Inbox(port);
  port.on('message', (message: ToThread) => {
    inbox.receive(message);
    for (let group = inbox.nextGroup(); group.length > 0; group = inbox.nextGroup()) {
      send({ kind: 'replies', replies: runGroup(store.ledger, group) });
    }
    if (!inbox.closing) return;
    store.db.close();
    port.close();
  });
  send({ kind: 'ready', opened: store.opened });
}

/** What has come and is not done yet. */
class Inbox {
  readonly #port: MessagePort;
  #commands: Command[] = [];
  /** The caller will send nothing more. */
  closing = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  receive(message: ToThread): void {
    if (message.kind === 'close') this.closing = true;
    else this.#commands = this.#commands.concat(message.commands);
  }

  /** Takes the next commands, with what has come while the last group was written. None when nothing waits. */
  nextGroup(): Command[] {
    let waiting = receiveMessageOnPort(this.#port);
    for (; waiting; waiting = receiveMessageOnPort(this.#port)) this.receive(waiting.message as ToThread);
    let count = 0;
    for (let items = 0; count < this.#commands.length && items < GROUP_ITEMS; count++) {
      items += this.#commands[count]!.items;
    }
    return this.#commands.splice(0, count);
  }
}

if (parentPort) main(parentPort, workerData as ThreadSetup);
