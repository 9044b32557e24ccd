import { type Signal, signal } from "@preact/signals";

const settleMs = 150;
/** A fetch that took long is not repeated before this many times as long. */
const restFactor = 10;

/**
 * Something that REST knows, fetched while somebody looks at it, and again some time after it has become stale: at once
 * where that is cheap, seldom where it is not.
 */
export class Resource<Value> {
  /** Undefined until it has been fetched. */
  readonly value: Signal<Value | undefined> = signal(undefined);
  /** Why the last fetch failed. */
  readonly fault: Signal<Error | undefined> = signal(undefined);
  readonly #fetch: () => Promise<Value>;
  #watchers = 0;
  #isStale = true;
  #isBusy = false;
  #restUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(fetch: () => Promise<Value>) {
    this.#fetch = fetch;
  }

  /** Keeps it fresh until the function returned is called. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#isStale) this.#soon(0);
    return () => {
      this.#watchers -= 1;
    };
  }

  /** What is known may be out of date. */
  stale(): void {
    this.#isStale = true;
    if (this.#watchers > 0) this.#soon(settleMs);
  }

  get isWatched(): boolean {
    return this.#watchers > 0;
  }

  /** Fetches it now, however long the last attempt took. */
  again(): void {
    this.#restUntil = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#soon(0);
  }

  /** Changes what is known by what an event brought along. What nobody looks at is fetched anew when somebody does. */
  change(patch: (value: Value) => Value): void {
    // An answer that is on its way may be from before the event.
    if (!this.isWatched || this.#isBusy) this.#isStale = true;
    if (this.isWatched && this.value.value !== undefined) this.value.value = patch(this.value.value);
  }

  #soon(delayMs: number): void {
    if (this.#timer !== undefined || this.#isBusy) return;
    const wait = Math.max(delayMs, this.#restUntil - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#load();
    }, wait);
  }

  async #load(): Promise<void> {
    const began = performance.now();
    this.#isBusy = true;
    this.#isStale = false;
    try {
      this.value.value = await this.#fetch();
      this.fault.value = undefined;
    } catch (error) {
      this.fault.value = error as Error;
      this.#isStale = true;
      return;
    } finally {
      this.#isBusy = false;
      const now = performance.now();
      this.#restUntil = now + restFactor * (now - began);
    }
    if (this.#isStale && this.#watchers > 0) this.#soon(settleMs);
  }
}
