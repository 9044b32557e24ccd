import { sweepLedgers } from "../ledger/ledger-store.ts";
import { tabLock } from "../tab-lock.ts";
import { openDatabase, settled } from "./database.ts";

/** A tab that is being reloaded, or brought back with its browser, holds its name again well within this time. */
const reloadMs = 3_000;

/** How long after one sweep the next one begins, at first and at most: tabs are closed while this one is open, too. */
const [firstPauseMs, longestPauseMs] = [5_000, 60_000];

/**
 * Deletes, for as long as this page is open, what tabs that are open no more left in this browser: their devices, what
 * their algorithms kept of the data, and their ledgers. To be called when this page's tab has its name.
 */
export async function keepSweeping(): Promise<never> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    // Where the browser's storage fails it holds nothing to sweep.
    await sweepClosedTabs().catch(() => undefined);
    await pause(pauseMs);
  }
}

async function sweepClosedTabs(): Promise<void> {
  const before = await openTabs();
  await pause(reloadMs);
  const now = await openTabs();
  const isOpen = (tab: string) => before.has(tabLock(tab)) || now.has(tabLock(tab));
  const database = await openDatabase();
  try {
    const devices = database.transaction("devices", "readwrite").objectStore("devices");
    for (const name of (await settled(devices.getAllKeys())) as string[]) {
      if (!isOpen(name.split(" ")[0]!)) devices.delete(name);
    }
    await sweepLedgers(database, isOpen);
  } finally {
    // It closes once what was begun is done.
    database.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The names of the locks that are held, those of open tabs among them. */
async function openTabs(): Promise<ReadonlySet<string | undefined>> {
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name));
}
