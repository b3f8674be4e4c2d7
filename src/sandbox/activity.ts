/** Who uses the container: that may start it, and puts off its sleep. */
export class Activity {
  readonly #renew: () => void;
  #uses = 0;

  /** `renew` puts off sleep. */
  constructor(renew: () => void) {
    this.#renew = renew;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#uses += 1;
    this.#renew();
    try {
      return await work();
    } finally {
      this.#uses -= 1;
      this.#renew();
    }
  }

  /** Whether somebody uses it now. */
  get used(): boolean {
    return this.#uses > 0;
  }
}
