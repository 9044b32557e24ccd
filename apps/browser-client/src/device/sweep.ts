import { sweepLedgers } from "../ledger/ledger-store.ts";
import { tabLock } from "../tab-lock.ts";
import { openDatabase, settled } from "./database.ts";

/** A tab that is being reloaded, or brought back with its browser, holds its name again well within this time. */
const reloadMs = 3_000;

/**
 * Deletes what tabs that are open no more left in this browser: their devices, what their algorithms kept of the data, and
 * their ledgers. To be called when this page's tab has its name.
 */
export async function sweepClosedTabs(): Promise<void> {
  const before = await openTabs();
  await new Promise((resolve) => setTimeout(resolve, reloadMs));
  const now = await openTabs();
  const isOpen = (tab: string) => before.has(tabLock(tab)) || now.has(tabLock(tab));
  const database = await openDatabase();
  const devices = database.transaction("devices", "readwrite").objectStore("devices");
  for (const name of (await settled(devices.getAllKeys())) as string[]) {
    if (!isOpen(name.split(" ")[0]!)) devices.delete(name);
  }
  await sweepLedgers(database, isOpen);
}

/** The names of the locks that are held, those of open tabs among them. */
async function openTabs(): Promise<ReadonlySet<string | undefined>> {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name));
}
