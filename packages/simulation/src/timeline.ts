/** Things that will happen, taken out in the order of their times; at equal times, in the order they were put in. */
export class Timeline<Happening> {
  readonly #heap: { readonly at: number; readonly order: number; readonly what: Happening }[] = [];
  #order = 0;

  put(at: number, what: Happening): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, what });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (this.#before(parent, child)) break;
      this.#swap(parent, child);
      child = parent;
    }
  }

  take(): { readonly at: number; readonly what: Happening } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      if (left >= heap.length) break;
      const child = left + 1 < heap.length && this.#before(left + 1, left) ? left + 1 : left;
      if (this.#before(parent, child)) break;
      this.#swap(parent, child);
      parent = child;
    }
    return first;
  }

  #before(a: number, b: number): boolean {
    const x = this.#heap[a]!;
    const y = this.#heap[b]!;
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  }
}
