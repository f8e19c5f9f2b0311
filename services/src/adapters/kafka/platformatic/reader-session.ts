import { Ending } from '../ending.ts';
import type { KafkaConnection } from '../options.ts';
import type { Session, Sink } from '../wire.ts';
import { Reader } from './reader.ts';

export interface ReaderSessionOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly sink: Sink;
}

/** Reads every partition of a topic. The broker knows nothing of it, so nothing is left behind. */
export class ReaderSession extends Ending implements Session {
  readonly #reader: Reader;

  constructor(options: ReaderSessionOptions) {
    super();
    this.#reader = new Reader({ ...options, check: () => false, fail: this.fail });
    this.#begin().catch(this.fail);
  }

  async #begin(): Promise<void> {
    const count = await this.#reader.begin();
    await this.#reader.assign(
      Array.from({ length: count }, (_, partition) => partition),
      new Map(),
    );
  }

  async commit(): Promise<void> {
    // There is no group to commit for.
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
