import type { LedgerEntry } from "@tributary/participant";
import { openDatabase, settled, written } from "../device/database.ts";

const table = "ledger";

interface Row {
  readonly tab: string;
  readonly entry: LedgerEntry;
}

/** A tab's ledger in the browser's own storage: it outlives a reload, as the tab's device does, and goes with the tab. */
export class LedgerStore {
  readonly #tab: string | Promise<string>;
  readonly #database = openDatabase();
  /** Entries that wait for what is being written. */
  #pending: LedgerEntry[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(tab: string | Promise<string>) {
    this.#tab = tab;
  }

  /** Every entry of this tab, the oldest first. Rejects where the browser's storage fails. */
  async all(): Promise<LedgerEntry[]> {
    const [database, tab] = await Promise.all([this.#database, this.#tab]);
    const rows = (await settled(database.transaction(table).objectStore(table).index("tab").getAll(tab))) as Row[];
    return rows.map(({ entry }) => entry);
  }

  /** Resolves when it is written, with whatever else waited; rejects where the browser's storage fails. */
  add(entry: LedgerEntry): Promise<void> {
    this.#pending.push(entry);
    if (this.#pending.length === 1) this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    // A transaction ends by itself where something else is waited for.
    const [database, tab] = await Promise.all([this.#database, this.#tab]);
    const transaction = database.transaction(table, "readwrite");
    const rows = transaction.objectStore(table);
    for (const entry of this.#pending) rows.add({ tab, entry } satisfies Row);
    this.#pending = [];
    await written(transaction);
  }
}

/** Deletes the ledgers of tabs that are open no more. */
export async function sweepLedgers(database: IDBDatabase, isOpen: (tab: string) => boolean): Promise<void> {
  const entries = database.transaction(table, "readwrite").objectStore(table);
  const tabs = entries.index("tab");
  for (let from: IDBKeyRange | null = null; ; ) {
    const cursor: IDBCursor | null = await settled(tabs.openKeyCursor(from, "nextunique"));
    if (cursor === null) return;
    const tab = cursor.key as string;
    from = IDBKeyRange.lowerBound(tab, true);
    if (isOpen(tab)) continue;
    for (const key of await settled(tabs.getAllKeys(tab))) entries.delete(key);
  }
}
