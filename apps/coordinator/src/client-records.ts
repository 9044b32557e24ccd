import type { ClientRecord } from "@tributary/protocol";
import type { Devices } from "./devices.ts";
import type { Store } from "./store/store.ts";

/** Every device ever enrolled, with whether it is connected now. */
export async function clientRecords(store: Store, devices: Devices): Promise<ClientRecord[]> {
  const clients = await store.clients();
  return clients.map((client) => ({ ...client, connected: devices.isConnected(client.client) }));
}
