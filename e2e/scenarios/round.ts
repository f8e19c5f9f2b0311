/** One trial's side of a round. */
export interface Together {
  /**
   * Done once for all trials of the round, when each of them has come to this point; all get what it brings. Calls are told
   * apart by their number: each trial makes the same ones.
   */
  readonly once: <T>(action: () => Promise<T>) => Promise<T>;
  /** Nobody waits for this trial any more. Idempotent. */
  readonly leave: () => void;
}

interface Step {
  /** Trials that are here. */
  here: number;
  readonly action: () => Promise<unknown>;
  readonly result: PromiseWithResolvers<unknown>;
  begun: boolean;
}

/** Trials on the same servers: what is done to a server is done to all of them at once, so it is done once. */
export class Round {
  readonly #steps: Step[] = [];
  #members: number;

  /** @param members how many trials there are */
  constructor(members: number) {
    this.#members = members;
  }

  /** To be called by each trial. */
  join(): Together {
    let next = 0;
    let left = false;
    return {
      once: <T>(action: () => Promise<T>) => this.#arrive(next++, action) as Promise<T>,
      leave: () => {
        if (left) return;
        left = true;
        this.#members--;
        for (const step of this.#steps.slice(next)) this.#look(step);
      },
    };
  }

  #arrive(number: number, action: () => Promise<unknown>): Promise<unknown> {
    const step = (this.#steps[number] ??= { here: 0, action, result: Promise.withResolvers(), begun: false });
    step.here++;
    this.#look(step);
    return step.result.promise;
  }

  #look(step: Step): void {
    if (step.begun || step.here < this.#members) return;
    step.begun = true;
    step.action().then(step.result.resolve, step.result.reject);
  }
}
