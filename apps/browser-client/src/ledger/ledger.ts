import { computed, signal } from "@preact/signals";
import type { LedgerEntry } from "@tributary/participant";
import type { Portrait } from "./portrait.ts";

/** One thing that left, with a portrait of its bytes where they were an update. */
export interface Departed {
  readonly entry: LedgerEntry;
  readonly portrait: Portrait | undefined;
}

interface Kind {
  readonly kind: string;
  readonly protection: LedgerEntry["protection"];
  readonly times: number;
  readonly bytes: number;
}

/** Everything that this page sent since it was loaded, the oldest first; it grows, so that a long run stays cheap. */
export class PageLedger {
  readonly #entries: LedgerEntry[] = [];
  /** How many there are; what shows them reads it, and so hears of more. */
  readonly count = signal(0);
  /** The newest update. */
  readonly pictured = signal<{ readonly entry: LedgerEntry; readonly portrait: Portrait } | undefined>(undefined);
  readonly bytes = signal(0);
  readonly kinds = signal<readonly Kind[]>([]);
  /** Bytes of what nobody but the other devices together could read. */
  readonly masked = computed(() =>
    this.kinds.value.reduce((sum, { protection, bytes }) => sum + (protection === "masked" ? bytes : 0), 0),
  );

  record({ entry, portrait }: Departed): void {
    this.#entries.push(entry);
    if (portrait !== undefined) this.pictured.value = { entry, portrait };
    const before = this.kinds.value;
    const at = before.findIndex(({ kind, protection }) => kind === entry.kind && protection === entry.protection);
    const { kind, protection, bytes } = entry;
    this.kinds.value =
      at < 0
        ? [...before, { kind, protection, bytes, times: 1 }]
        : before.with(at, { ...before[at]!, times: before[at]!.times + 1, bytes: before[at]!.bytes + bytes });
    this.bytes.value += bytes;
    this.count.value = this.#entries.length;
  }

  /** The newest first, at most `most`. */
  newest(most: number): readonly LedgerEntry[] {
    return this.#entries.slice(-most).reverse();
  }

  /** All of it as JSON, as `tributary join --ledger` has it but in one list. */
  export(): string {
    return `${JSON.stringify(this.#entries, undefined, 1)}\n`;
  }
}
