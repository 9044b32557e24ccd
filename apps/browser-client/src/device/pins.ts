import { openDatabase, settled, written } from "./database.ts";

/** The Ed25519 key, in base64, that a coordinator proved when this browser first met it, and when that was (ms). */
export interface Pin {
  readonly key: string;
  readonly since: number;
}

/** The key that this browser, in whatever tab, knows the coordinator at this address by. */
export async function readPin(coordinator: string): Promise<Pin | undefined> {
  const table = (await openDatabase()).transaction("coordinators").objectStore("coordinators");
  return (await settled(table.get(coordinator))) as Pin | undefined;
}

/** Remembers a coordinator by its key, unless it is known already; gives what it is known by. */
export async function pinCoordinator(coordinator: string, pin: Pin): Promise<Pin> {
  const transaction = (await openDatabase()).transaction("coordinators", "readwrite");
  const table = transaction.objectStore("coordinators");
  const known = (await settled(table.get(coordinator))) as Pin | undefined;
  if (known === undefined) table.put(pin, coordinator);
  await written(transaction);
  return known ?? pin;
}

/**
 * Knows the coordinator no more: the next key that it proves is taken. What devices revealed stays, so that a new key does
 * not get an old question answered again.
 */
export async function forgetPin(coordinator: string): Promise<void> {
  const transaction = (await openDatabase()).transaction(["coordinators", "devices"], "readwrite");
  transaction.objectStore("coordinators").delete(coordinator);
  const devices = transaction.objectStore("devices");
  for (const name of (await settled(devices.getAllKeys())) as string[]) {
    if (!name.endsWith(` ${coordinator}`)) continue;
    const { identity: _, ...kept } = (await settled(devices.get(name))) as { identity?: unknown };
    devices.put(kept, name);
  }
  await written(transaction);
}
