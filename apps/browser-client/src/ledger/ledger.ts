import { batch, computed, signal } from "@preact/signals";
import { entryOf, type LedgerEntry } from "@tributary/participant";
import type { RunId } from "@tributary/protocol";
import { LedgerStore } from "./ledger-store.ts";
import type { Portrait } from "./portrait.ts";

/** One thing that left, with a portrait of its bytes where they were an update. */
export interface Departed {
  readonly entry: LedgerEntry;
  readonly portrait: Portrait | undefined;
}

/** An entry and its place among all that left, from 1. */
export interface Numbered {
  readonly number: number;
  readonly entry: LedgerEntry;
}

interface Kind {
  readonly kind: string;
  readonly protection: LedgerEntry["protection"];
  readonly times: number;
  readonly bytes: number;
}

/** So many entries are at hand; older ones are read from the store where they are wanted. */
const mostAtHand = 2_000;

/** Everything that this page sent since it was opened in this tab. */
export class PageLedger {
  /** The newest, the oldest of them first; all of them where the browser's storage fails. */
  readonly #entries: Numbered[] = [];
  readonly #store: LedgerStore;
  #isStored = true;
  /** Resolves once what left before this page was loaded anew is in it. */
  readonly restored: Promise<void>;
  /** How many there are in all; what shows them reads it, and so hears of more. */
  readonly count = signal(0);
  /** The newest update. */
  readonly pictured = signal<{ readonly entry: LedgerEntry; readonly portrait: Portrait } | undefined>(undefined);
  readonly bytes = signal(0);
  /** Of each run, in how many rounds an update left, and the newest of these. */
  readonly #updates = new Map<RunId | undefined, { readonly rounds: number; readonly newest: number }>();
  readonly kinds = signal<readonly Kind[]>([]);
  /** Bytes of what nobody but the other devices together could read. */
  readonly masked = computed(() =>
    this.kinds.value.reduce((sum, { protection, bytes }) => sum + (protection === "masked" ? bytes : 0), 0),
  );

  constructor(tab: Promise<string>) {
    this.#store = new LedgerStore(tab);
    this.restored = this.#restore();
  }

  /** Shows something that left; who sent it has written it down. */
  record({ entry, portrait }: Departed): void {
    this.#entries.push({ number: this.count.value + 1, entry });
    if (this.#isStored && this.#entries.length > mostAtHand) this.#entries.shift();
    if (portrait !== undefined) this.pictured.value = { entry, portrait };
    this.#count(entry);
  }

  /** Records a request of the page itself, which has no body: written down when it resolves, so that it may leave. */
  async ask(url: string): Promise<void> {
    await this.restored;
    const departure = { kind: "request", destination: `GET ${url}`, body: "" };
    const { entry } = await entryOf(departure, Date.now());
    this.record({ entry, portrait: undefined });
    await this.#store.add(entry).catch(() => this.#keepInMemory());
  }

  /** In how many of a run's rounds an update left, each counted once, however often it was tried. */
  updatesOf(run: RunId): number {
    this.count.value;
    return this.#updates.get(run)?.rounds ?? 0;
  }

  #count(entry: LedgerEntry): void {
    const { run, round = 0 } = entry;
    const { rounds, newest } = this.#updates.get(run) ?? { rounds: 0, newest: 0 };
    if (entry.kind === "update" && round > newest) this.#updates.set(run, { rounds: rounds + 1, newest: round });
    const before = this.kinds.value;
    const at = before.findIndex(({ kind, protection }) => kind === entry.kind && protection === entry.protection);
    const { kind, protection, bytes } = entry;
    this.kinds.value =
      at < 0
        ? [...before, { kind, protection, bytes, times: 1 }]
        : before.with(at, { ...before[at]!, times: before[at]!.times + 1, bytes: before[at]!.bytes + bytes });
    this.bytes.value += bytes;
    this.count.value += 1;
  }

  async #restore(): Promise<void> {
    const earlier = await this.#store.all().catch(() => this.#keepInMemory());
    const first = this.count.value + 1;
    batch(() => {
      for (const entry of earlier ?? []) this.#count(entry);
    });
    const numbered = (earlier ?? []).map((entry, at) => ({ number: first + at, entry }));
    this.#entries.push(...numbered.slice(-mostAtHand));
  }

  #keepInMemory(): undefined {
    this.#isStored = false;
  }

  /** Whether older ones are in the browser's storage alone. */
  get isPartial(): boolean {
    return this.#entries.length < this.count.value;
  }

  /** How many there are that carried something. */
  get withContent(): number {
    return this.kinds.value.reduce((sum, { kind, times }) => sum + (kind === "request" ? 0 : times), 0);
  }

  /** The newest first, at most `most`; `carrying`: those alone that carried something. */
  newest(most: number, carrying: boolean): readonly Numbered[] {
    const found: Numbered[] = [];
    for (let at = this.#entries.length - 1; at >= 0 && found.length < most; at--) {
      const numbered = this.#entries[at]!;
      if (!carrying || numbered.entry.kind !== "request") found.push(numbered);
    }
    return found;
  }

  /** All of it as JSON, as `tributary join --ledger` has it but in one list. */
  async export(): Promise<string> {
    const stored = this.#isStored ? await this.#store.all().catch(() => undefined) : undefined;
    const entries = stored ?? this.#entries.map(({ entry }) => entry);
    return `${JSON.stringify(entries, undefined, 1)}\n`;
  }
}
