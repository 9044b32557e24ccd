/** What has happened, in order; a test awaits an entry instead of a time. */
export class Log<Entry> {
  readonly entries: Entry[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (entry: Entry): void => {
    this.entries.push(entry);
    for (const look of [...this.#waiting]) look();
  };

  /** The first entry from `from` on that fits, now or later. */
  async next<Fitting extends Entry>(fits: (entry: Entry) => entry is Fitting, from?: number): Promise<Fitting>;
  async next(fits: (entry: Entry) => boolean, from?: number): Promise<Entry>;
  async next(fits: (entry: Entry) => boolean, from = 0): Promise<Entry> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.entries.slice(from).find(fits);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
