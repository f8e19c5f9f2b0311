import { GROUP_ITEMS } from './groups.ts';
import { laneOf, type Command, type Lane, type ToThread } from './protocol.ts';
import type { Times } from './store-clock.ts';

/** What has come and is not done yet, by lane. */
export class Inbox {
  #main: Command[] = [];
  #lists: Command[] = [];
  #last: Lane = 'lists';
  /** When the caller said that it will send nothing more; null: it has not. */
  closing: Times | null = null;

  receive(message: ToThread): void {
    if (message.kind === 'close') {
      this.closing = message.times;
      return;
    }
    const lists = message.commands.filter(({ operation }) => laneOf(operation) === 'lists');
    if (lists.length === 0) this.#main = this.#main.concat(message.commands);
    else {
      this.#lists = this.#lists.concat(lists);
      this.#main = this.#main.concat(
        message.commands.filter(({ operation }) => laneOf(operation) === 'main'),
      );
    }
  }

  /**
   * Takes the next commands, those that share a transaction; none when nothing waits. While both lanes have some they
   * take turns, with one page of a list at a time: neither waits for more than one turn of the other.
   */
  nextGroup(): Command[] {
    const isTurnOfLists = this.#main.length === 0 || this.#last === 'main';
    if (isTurnOfLists && this.#lists.length > 0) {
      this.#last = 'lists';
      return this.#lists.splice(0, 1);
    }
    this.#last = 'main';
    let count = 0;
    for (let items = 0; count < this.#main.length && items < GROUP_ITEMS; count++) {
      items += this.#main[count]!.items;
    }
    return this.#main.splice(0, count);
  }
}
