import { type ClientRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { useResource } from "../use-resource.ts";
import { words } from "../words.ts";
import { ClientTable } from "./client-table.tsx";
import { RestLinks } from "./rest.tsx";

/** The devices that offer themselves for the run now. */
export function RunDevices({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const path = routes.runClients(run.run);
  const clients = useResource<ClientRecord[]>(dashboard, path);
  return (
    <>
      <section class="card">
        <h2>{words.devices.title}</h2>
        <ClientTable label={words.devices.title} clients={clients} dashboard={dashboard} none={words.devices.none} />
      </section>
      <RestLinks resources={[{ path }]} />
    </>
  );
}
