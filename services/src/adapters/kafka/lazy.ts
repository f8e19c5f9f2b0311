/** A client that is made when it is needed first, and anew after it was dropped or could not be made. */
export class Lazy<T> {
  readonly #make: () => Promise<T>;
  readonly #close: (client: T) => Promise<unknown>;
  #current: Promise<T> | null = null;

  /** @param make its limits are its own */
  constructor(make: () => Promise<T>, close: (client: T) => Promise<unknown>) {
    this.#make = make;
    this.#close = close;
  }

  get(): Promise<T> {
    if (this.#current) return this.#current;
    const making = this.#make();
    this.#current = making;
    making.catch(() => {
      if (this.#current === making) this.#current = null;
    });
    return making;
  }

  /** The next call makes another one. Of several who found the same client broken, one drops it. */
  async drop(client?: T): Promise<void> {
    const current = this.#current;
    if (!current) return;
    if (client === undefined) this.#current = null;
    const made = await current.catch(() => null);
    if (made === null || (client !== undefined && made !== client)) return;
    if (this.#current === current) this.#current = null;
    await this.#close(made);
  }
}
