import type { Dashboard, Link } from "../dashboard.ts";
import { words } from "../words.ts";
import { KeyForm } from "./key-form.tsx";
import { Mark } from "./mark.tsx";
import { RunList } from "./run-list.tsx";
import { RunView } from "./run-view.tsx";

/** The operator's page: the runs, and the one that is chosen. */
export function Page({ dashboard }: { dashboard: Dashboard }) {
  const link = dashboard.link.value;
  const locked = link === "key needed" || link === "key refused";
  const fault = dashboard.fault.value;
  return (
    <>
      <header>
        <p class="brand">
          <Mark />
          <a href="#/">Tributary</a>
        </p>
        <LinkState link={link} />
        <nav aria-label="Elsewhere">
          <a href="./join/">{words.join}</a>
          <a href="./docs/">{words.api}</a>
        </nav>
      </header>
      {fault === undefined ? null : (
        <p class="fault" role="alert">
          <strong>{words.problem}.</strong> {fault}{" "}
          <button type="button" class="secondary" onClick={() => (dashboard.fault.value = undefined)}>
            {words.dismiss}
          </button>
        </p>
      )}
      {locked ? (
        <main>
          <KeyForm dashboard={dashboard} refused={link === "key refused"} />
        </main>
      ) : (
        <main class={dashboard.selected.value === undefined ? "panes listing" : "panes"}>
          <RunList dashboard={dashboard} />
          <RunView dashboard={dashboard} />
        </main>
      )}
    </>
  );
}

function LinkState({ link }: { link: Link }) {
  const shown = { live: words.live, lost: words.reconnecting, connecting: words.connecting };
  const text = link in shown ? shown[link as keyof typeof shown] : "";
  return (
    <p class={`link ${link === "live" ? "good" : ""}`} role="status">
      {text}
    </p>
  );
}
