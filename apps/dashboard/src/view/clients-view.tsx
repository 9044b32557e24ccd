import { routes } from "@tributary/protocol";
import type { Dashboard } from "../dashboard.ts";
import { words } from "../words.ts";
import { ClientTable } from "./client-table.tsx";
import { RestLinks } from "./rest.tsx";

/** Every device that ever enrolled. */
export function ClientsView({ dashboard }: { dashboard: Dashboard }) {
  return (
    <>
      <div class="title">
        <h1>{words.clients}</h1>
      </div>
      <section class="card">
        <ClientTable
          label={words.clients}
          path={routes.clients()}
          dashboard={dashboard}
          none={words.clientTable.none}
        />
      </section>
      <RestLinks resources={[{ path: routes.clients() }, { method: "DELETE", path: routes.client("CLIENT") }]} />
    </>
  );
}
