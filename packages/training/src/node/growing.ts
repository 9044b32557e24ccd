/** Integers of 32 bits whose number is not known beforehand. */
export class GrowingInts {
  #values = new Int32Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new Int32Array(2 * this.#length);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }

  /** What was pushed, as a view. */
  values(): Int32Array {
    return this.#values.subarray(0, this.#length);
  }
}
