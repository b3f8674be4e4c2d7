/** So long after a look has its answer the SDK may still report the end of its call, as if somebody had used the container. */
const ECHO_MS = 2_500;

/**
 * Tells use of the container, which may start it and puts off its sleep, from looks at it, which do neither. The SDK takes
 * each call for use.
 */
export class Activity {
  readonly #renew: () => void;
  #uses = 0;
  #looks = 0;
  #lookedAt = 0;

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

  async look<T>(work: () => Promise<T>): Promise<T> {
    this.#looks += 1;
    try {
      return await work();
    } finally {
      this.#looks -= 1;
      this.#lookedAt = Date.now();
    }
  }

  /** Whether somebody uses the container now. */
  get used(): boolean {
    return this.#uses > 0;
  }

  /** Whether what the SDK takes for use now can only be a look. */
  get onlyLooks(): boolean {
    return this.#uses === 0 && (this.#looks > 0 || Date.now() < this.#lookedAt + ECHO_MS);
  }
}
