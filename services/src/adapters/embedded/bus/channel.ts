import type { Logger } from '../../../ports/logger.ts';
import { Member, type MemberOptions } from './member.ts';
import { Waiting, type Overflow } from './waiting.ts';

export interface ChannelOptions {
  readonly maxWaiting: number;
  readonly overflow: Overflow;
  readonly logger: Logger;
}

/**
 * The messages of one topic on their way to one group, or to one subscriber. Nothing is handed over inside the call
 * that brings it, but in the next turn of the event loop, together with what came meanwhile.
 */
export class Channel<M> {
  readonly #options: ChannelOptions;
  readonly #waiting: Waiting<M>;
  #members: Member<M>[] = [];
  #awake = false;
  #dropped = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#waiting = new Waiting(options.maxWaiting, options.overflow);
  }

  offer(messages: readonly M[]): void {
    const inHands = this.#members.reduce((sum, member) => sum + member.inHands, 0);
    this.#drop(this.#waiting.add(messages, inHands));
    this.#wake();
  }

  /** Says once when messages begin to be dropped, and once when that is over. The store still knows what they said. */
  #drop(count: number): void {
    if (count === 0) return;
    if (this.#dropped === 0) {
      this.#options.logger.warn('bus drops messages', { waiting: this.#waiting.size });
    }
    this.#dropped += count;
  }

  #keepsUp(): void {
    if (this.#dropped === 0 || this.#waiting.size * 2 > this.#options.maxWaiting) return;
    this.#options.logger.info('bus keeps up again', { dropped: this.#dropped });
    this.#dropped = 0;
  }

  join(options: MemberOptions<M>): Member<M> {
    const member = new Member(options, {
      giveBack: (messages) => this.#waiting.putBack(messages),
      wake: () => this.#wake(),
    });
    this.#members.push(member);
    this.#wake();
    return member;
  }

  /** Waits for the handler of the member; what it has not dealt with is for the others. */
  async leave(member: Member<M>): Promise<void> {
    await member.close();
    this.#members = this.#members.filter((each) => each !== member);
    this.#wake();
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    setImmediate(() => {
      this.#awake = false;
      this.#handOver();
    });
  }

  /** A batch to each member that is free. Who got one goes to the end of the row. */
  #handOver(): void {
    for (const member of [...this.#members]) {
      if (this.#waiting.size === 0) break;
      if (!member.free) continue;
      this.#members = [...this.#members.filter((each) => each !== member), member];
      member.take(this.#waiting.take(member.maxBatch));
    }
    this.#keepsUp();
  }
}
