/** The end of a session: the first reason counts. Nobody has to listen. */
export class Ending {
  readonly ended: Promise<never>;
  readonly fail: (error: unknown) => void;

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.ended = promise;
    this.fail = reject;
  }
}
