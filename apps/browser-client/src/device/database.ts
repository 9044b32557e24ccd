/**
 * What this page keeps in its origin: a device per tab and coordinator, the key that each coordinator is known by, and what
 * left each tab.
 */
type Table = "devices" | "coordinators" | "ledger";

export async function openDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open("tributary", 3);
  opening.onupgradeneeded = ({ oldVersion }) => {
    const { result } = opening;
    if (oldVersion < 2) {
      // Devices of the first version named no coordinator; their tabs are gone or will enrol again.
      for (const name of Array.from(result.objectStoreNames)) result.deleteObjectStore(name);
      for (const name of ["devices", "coordinators"] satisfies Table[]) result.createObjectStore(name);
    }
    const ledger = result.createObjectStore("ledger" satisfies Table, { autoIncrement: true });
    ledger.createIndex("tab", "tab");
  };
  const opened = await settled(opening);
  // A page of a newer build must not wait for this one to be closed.
  opened.onversionchange = () => opened.close();
  return opened;
}

/** A request's result. Rejects with the reason where the browser's storage failed. */
export function settled<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's own storage failed"));
  });
}

/** Resolves when what a transaction wrote is on disk, as far as the transaction asked for that. */
export function written(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the browser could not keep this device"));
  });
}
