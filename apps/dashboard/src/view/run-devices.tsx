import { type RunRecord, routes } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { words } from "../words.ts";
import { ClientTable } from "./client-table.tsx";
import { behindRun, RestLinks } from "./rest.tsx";

/** The devices that offer themselves for the run now. */
export function RunDevices({ run, dashboard }: { run: RunRecord; dashboard: Dashboard }) {
  const path = routes.runClients(run.run);
  return (
    <>
      <section class="card">
        <h2>{words.devices.title}</h2>
        <ClientTable label={words.devices.title} path={path} dashboard={dashboard} none={words.devices.none} />
      </section>
      <RestLinks resources={[...behindRun(run), { path }, { method: "DELETE", path: routes.client("CLIENT") }]} />
    </>
  );
}
